package live

import (
	"bufio"
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	image "github.com/planec/planec/backends/ebpf"
)

const kills = 200

// TestKill kills a process that applies two images alternately, as a whole or by changes of
// held state, at random moments.
// The active image is then either the old or the new one, and the next apply
// succeeds.
func TestKill(t *testing.T) {
	p, fs := pins(t)
	images := []*image.Image{bigImage(t, 200), bigImage(t, 300)}
	files := []string{writeImage(t, images[0]), writeImage(t, images[1])}
	rng := rand.New(rand.NewPCG(4, 2))
	count := make(map[string]int)
	for n := range kills {
		within := 250 * time.Millisecond
		if n%5 == 0 { // the first apply of all can be killed too
			within = 30 * time.Millisecond
			if _, err := p.Clean(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		before := active(t, p, images)
		words := killed(t, fs, [2]string{childLoop, childHeld}[n%2], files, time.Duration(rng.Int64N(int64(within))))
		may := possible(before, words)
		got := active(t, p, images)
		if !may[got] {
			t.Errorf("kill %d: before %d, then %v, and image %d is active", n, before, words, got)
		}
		count[classify(words, may, got)]++
		next := images[rng.IntN(len(images))]
		if apply(t, p, next).Empty() {
			count["nothing to repair"]++
		}
		serving(t, p, next)
	}
	t.Logf("%d kills: %v", kills, count)
}

// TestProgramsAcrossKills runs a program while processes that apply are killed:
// every run sees exactly one image.
func TestProgramsAcrossKills(t *testing.T) {
	p, fs := pins(t)
	images := []*image.Image{generationImage(t, 13), generationImage(t, 27)}
	apply(t, p, images[0])
	d, err := Open(p.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	stop := reader(t, d, 0).read(t)
	files := []string{writeImage(t, images[0]), writeImage(t, images[1])}
	rng := rand.New(rand.NewPCG(5, 2))
	for range kills / 5 {
		killed(t, fs, childLoop, files, time.Duration(rng.Int64N(int64(100*time.Millisecond))))
	}
	s := stop()
	t.Logf("%+v across %d kills", s, kills/5)
	if s.bad() || s.ok < 1000 {
		t.Errorf("%+v", s)
	}
}

// none stands for no image.
const none = -1

// active returns the index of the image that a new process finds, with every entry
// verified.
func active(t *testing.T, p *Pins, images []*image.Image) int {
	t.Helper()
	s, err := NewPins(p.Dir).Observe(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if s.broken != nil {
		t.Errorf("what is active is broken: %v", s.broken)
	}
	if s.Image == nil {
		return none
	}
	for i, img := range images {
		if s.Image.Digest() == img.Digest() {
			return i
		}
	}
	t.Fatalf("image %x is active", s.Image.Digest())
	return none
}

// killed starts a process, kills it some time after its first output, and returns
// the output.
func killed(t *testing.T, fs *os.File, child string, files []string, after time.Duration) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0], files...)
	cmd.Env = append(os.Environ(), childEnv+"="+child)
	cmd.ExtraFiles = []*os.File{fs}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Errorf("the process said nothing: %s", stderr.String())
	}
	words := []string{lines.Text()}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	words = append(words, lastWords(lines)...)
	if err := cmd.Wait(); err == nil || strings.HasPrefix(words[len(words)-1], "failed") {
		t.Errorf("the process ended by itself: %v, %s", words, stderr.String())
	}
	return words
}

// possible returns the images that may be active after this output: the last
// completed one, and the one that was begun after it.
func possible(before int, words []string) map[int]bool {
	may := map[int]bool{before: true}
	for _, w := range words {
		verb, number, _ := strings.Cut(w, " ")
		i, err := strconv.Atoi(number)
		if err != nil {
			continue
		}
		if verb == "done" {
			clear(may)
		}
		may[i] = true
	}
	return may
}

func classify(words []string, may map[int]bool, got int) string {
	begun := strings.TrimPrefix(words[len(words)-1], "begin ")
	switch {
	case got == none:
		return "no image yet"
	case len(may) == 1:
		return "between two applies, or of the same image"
	case begun == strconv.Itoa(got):
		return "during an apply: the new image"
	}
	return "during an apply: the old image"
}

// TestNoCapabilities applies as root without CAP_BPF and CAP_SYS_ADMIN.
func TestNoCapabilities(t *testing.T) {
	_, fs := pins(t)
	cmd := exec.Command(os.Args[0], writeImage(t, generationImage(t, 1)))
	cmd.Env = append(os.Environ(), childEnv+"="+childBare)
	cmd.ExtraFiles = []*os.File{fs}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), ErrPrivileges.Error()) {
		t.Errorf("it said %q", out)
	}
}
