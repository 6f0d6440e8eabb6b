package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	image "github.com/planec/planec/backends/ebpf"
)

// TestFewDescriptors applies with fewer descriptors than needed, starting from none: the
// kernel refuses a map at each place where one is created or opened. The old image
// remains active, the error names what is missing, and finally the apply succeeds.
func TestFewDescriptors(t *testing.T) {
	p, fs := pins(t)
	old, next := generationImage(t, 13), generationImage(t, 27)
	apply(t, p, old)
	cmd := exec.Command(os.Args[0], writeImage(t, old), writeImage(t, next))
	cmd.Env = append(os.Environ(), childEnv+"="+childFew)
	cmd.ExtraFiles = []*os.File{fs}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	failed := strings.Count(string(out), "failed: ")
	if failed < 10 || !strings.Contains(string(out), "ended <nil>") || !strings.Contains(string(out), "creat") {
		t.Errorf("%d applies failed:\n%s", failed, out)
	}
	serving(t, p, next)
	t.Logf("%d applies failed before one had descriptors enough", failed)
}

// applyFew applies an image with more and more descriptors until it works; after
// each apply that does not, the old image must serve.
func applyFew(oldName, nextName string) error {
	old, err := readImage(oldName)
	if err != nil {
		return err
	}
	next, err := readImage(nextName)
	if err != nil {
		return err
	}
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		return err
	}
	const most = 100
	for n := range most {
		err := limited(uint64(n), before, next)
		if err == nil {
			return nil
		}
		fmt.Println("failed:", err)
		if !errors.Is(err, unix.EMFILE) {
			return fmt.Errorf("another error: %w", err)
		}
		if err := NewPins(childDir).Verify(context.Background(), old); err != nil {
			return fmt.Errorf("with %d descriptors: %w", n, err)
		}
	}
	return errors.New("it never works")
}

func limited(n uint64, before unix.Rlimit, img *image.Image) error {
	after := before
	after.Cur = n
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &after); err != nil {
		return err
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &before)
	return NewPins(childDir).Apply(context.Background(), NewPlan(&State{}, img))
}
