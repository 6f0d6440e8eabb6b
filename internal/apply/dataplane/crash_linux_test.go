package dataplane_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/planec/planec/internal/apply/applier"
)

// TestKilled kills a process that applies, at random moments. Connections to
// Services that no artifact changes work all the time, and in the end an apply
// makes everything whole.
func TestKilled(t *testing.T) {
	for _, p := range append(planes(), ebpfPlane(t)) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			r, a := node(t, p)
			work := childWork{Plane: p.name, Place: p.place, Record: t.TempDir(), Artifacts: [2]applier.Entry{emitted(t, p.backend, 1), emitted(t, p.backend, 2)}}
			file := filepath.Join(t.TempDir(), "work.json")
			data, err := json.Marshal(work)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(7, 7))
			failed, repaired := 0, 0
			for n := range *kills {
				var stderr bytes.Buffer
				cmd := exec.Command(os.Args[0])
				cmd.Env, cmd.Stderr = append(os.Environ(), childVariable+"="+file), &stderr
				if err := r.Do(cmd.Start); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(20+rng.IntN(120)) * time.Millisecond)
				cmd.Process.Kill() // it may have ended
				err := cmd.Wait()
				var exit *exec.ExitError
				if errors.As(err, &exit) && exit.Exited() {
					t.Fatalf("run %d ended by itself: %v\n%s", n, err, stderr.String())
				}
				if n%10 == 9 {
					bad, err := wrong(t.Context(), r, p)
					if err != nil {
						t.Fatal(err)
					}
					failed += len(bad)
					for _, b := range bad {
						t.Errorf("after %d kills: %s", n+1, b)
					}
				}
			}
			apply(t, r, a, emitted(t, p.backend, 3))
			err = r.Do(func() error { return a.Verify(t.Context(), emitted(t, p.backend, 3)) })
			if err == nil {
				repaired++
			} else {
				t.Error(err)
			}
			t.Logf("%d kills, %d failed connections, repaired: %v", *kills, failed, repaired == 1)
		})
	}
}
