package testkit

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// BPFFS returns a directory in a BPF file system of this test. It has no mount
// point and therefore disappears when the test ends for any reason. Processes that the
// test starts reach it too.
func BPFFS(t testing.TB) string {
	t.Helper()
	fs, err := unix.Fsopen("bpf", unix.FSOPEN_CLOEXEC)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI=true, but this machine cannot make a BPF file system: %v", err)
		}
		t.Skipf("SKIPPED, NOTHING WAS TESTED: this machine cannot make a BPF file system: %v", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		t.Fatal(err)
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(mount) })
	return fmt.Sprintf("/proc/%d/fd/%d/planec", os.Getpid(), mount)
}
