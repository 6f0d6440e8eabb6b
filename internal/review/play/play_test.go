package play_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
)

// asPlanec makes the test's binary planec.
const asPlanec = "PLANEC_PLAY_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asPlanec) != "" {
		os.Exit(cli.Run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	os.Exit(m.Run())
}

// firstLine passes on the first line that is written.
type firstLine struct {
	got  chan string
	text strings.Builder
	done bool
}

// Write implements io.Writer.
func (l *firstLine) Write(p []byte) (int, error) {
	l.text.Write(p)
	if first, _, whole := strings.Cut(l.text.String(), "\n"); whole && !l.done {
		l.done = true
		l.got <- first
	}
	return len(p), nil
}

// serve runs `planec play` in a process of its own and returns the address that it
// prints. It ends with the test, by an interrupt, which must be no failure.
func serve(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"play"}, args...)...)
	cmd.Env = append(os.Environ(), asPlanec+"=1")
	out := &firstLine{got: make(chan string, 1)}
	var errs strings.Builder
	cmd.Stdout, cmd.Stderr = out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case url := <-out.got:
		t.Cleanup(func() {
			_ = cmd.Process.Signal(os.Interrupt)
			if err := <-ended; err != nil {
				t.Errorf("an interrupted planec play: %v\n%s", err, errs.String())
			}
		})
		return url
	case err := <-ended:
		t.Fatalf("planec play: %v\n%s", err, errs.String())
		return ""
	}
}
