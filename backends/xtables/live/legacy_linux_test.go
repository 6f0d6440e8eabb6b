package live

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/testing/testkit"
)

// TestLegacy reads from sockets that cannot answer, and a table with known policies.
func TestLegacy(t *testing.T) {
	netlink, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	other := &Legacy{fd: netlink, level: unix.SOL_IP, entry: 112}
	if _, err := other.Info("filter"); !errors.Is(err, unix.ENOPROTOOPT) {
		t.Errorf("of another protocol: %v", err)
	}
	other.Close()
	if _, err := other.Drops("filter"); !errors.Is(err, unix.EBADF) {
		t.Errorf("without a socket: %v", err)
	}
	testkit.Require(t, "ip6tables-legacy")
	r := testkit.New(t, testkit.Spec{})
	if _, err := r.Run("", "ip6tables-legacy", "-P", "FORWARD", "DROP"); err != nil {
		t.Fatal(err)
	}
	var drops [5]bool
	if err := r.Do(func() error {
		l, err := OpenLegacy(true)
		if err != nil {
			return err
		}
		defer l.Close()
		drops, err = l.Drops("filter")
		return err
	}); err != nil || drops != [5]bool{LegacyForward: true} {
		t.Errorf("%v, %v", drops, err)
	}
}
