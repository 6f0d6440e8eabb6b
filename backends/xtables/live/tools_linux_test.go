package live

import (
	"errors"
	"os/exec"
	"testing"
)

// TestExplain wants the program's name once, and the usual reasons in planec's words.
func TestExplain(t *testing.T) {
	failed := errors.New("exit status 1")
	for _, c := range []struct {
		name, text string
		err        error
		is         error
		want       string
	}{
		{"ipset", "ipset v7.17: Error in line 1: Set cannot be created", failed, failed, "ipset: exit status 1: Error in line 1: Set cannot be created"},
		{"iptables-nft-restore", "iptables-nft-restore v1.8.9 (nf_tables): unknown option", failed, failed, "iptables-nft-restore: exit status 1: unknown option"},
		{"iptables-nft-save", "iptables-nft-save v1.8.9 (nf_tables): Permission denied (you must be root)", failed, ErrPrivileges, "iptables-nft-save: CAP_NET_ADMIN is needed"},
		{"iptables-legacy-save", "Failed to list table names: Permission denied", failed, ErrPrivileges, "iptables-legacy-save: CAP_NET_ADMIN is needed"},
		{"ipset", "", exec.ErrNotFound, ErrNoTools, "ipset: the program is not installed"},
		{"ipset", "ipset v7.17: Cannot open session to kernel.", failed, ErrNoKernel, "ipset: the kernel does not have what this program needs: Cannot open session to kernel."},
		{"ipset", "a set is in the way: it is there", failed, failed, "ipset: exit status 1: a set is in the way: it is there"},
	} {
		if err := explain(c.name, c.err, c.text); !errors.Is(err, c.is) || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}
