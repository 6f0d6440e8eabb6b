package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnconfirmed has a status and a verify name the apply that waits for its
// confirmation, since what they see may be taken back.
func TestUnconfirmed(t *testing.T) {
	k := newKernel(t, "nftables", "")
	k.must(k.apply(before))
	a := k.ask(nil, "--confirm-within", "1h")
	<-a.asks
	for _, command := range []string{"status", "verify"} {
		_, said := k.run(k.command(command, "--state-dir", k.state))
		if !strings.Contains(said, fmt.Sprintf("the planec process %d ", a.Process.Pid)) || !strings.Contains(said, "wait to be confirmed") {
			t.Errorf("%s: %s", command, said)
		}
	}
	fmt.Fprintln(a.in, "no")
	if code, said := a.end(); code != 1 {
		t.Errorf("exit code %d: %s", code, said)
	}
	if code, said := k.run(k.command("status", "--state-dir", k.state)); code != 0 || strings.Contains(said, "planec process") {
		t.Errorf("afterwards: exit code %d: %s", code, said)
	}
}

// TestDamagedRecord has every command that reads the record say that it cannot be read,
// which is no mistake of the user's.
func TestDamagedRecord(t *testing.T) {
	k := newKernel(t, "nftables", "")
	k.must(k.apply(before))
	damage(t, k.state)
	for _, args := range [][]string{{"status"}, {"verify"}, {"show"}, {"rollback"}, {"diff", "live:", k.artifact(before)}} {
		if code, said := k.run(k.command(append(args, "--state-dir", k.state)...)); code != 3 {
			t.Errorf("%v: exit code %d: %s", args, code, said)
		}
	}
}

// damage cuts every file of a directory in half.
func damage(t *testing.T, dir string) {
	t.Helper()
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		return os.Truncate(path, info.Size()/2)
	})
	if err != nil {
		t.Fatal(err)
	}
}
