package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/moby/ipvs"
	"github.com/sirupsen/logrus"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	xtlive "github.com/planec/planec/backends/xtables/live"
)

// Kernel is the kernel in the network namespace of the calling thread.
type Kernel struct {
	rules *xtlive.Tools
}

// New returns a Kernel that loads rules with the given tools.
func New(rules *xtlive.Tools) *Kernel { return &Kernel{rules: rules} }

// sockets are the netlink sockets of one call.
type sockets struct {
	ipvs *ipvs.Handle
	link *netlink.Handle
	// stay are the removals that were not made because of connections.
	stay []change
}

func (s *sockets) close() {
	s.ipvs.Close()
	s.link.Close()
}

// open connects to IPVS. It checks for the module itself, because the library
// caches a failed check, and then sends requests that the kernel accepts as empty
// without doing anything.
func open(ctx context.Context) (*sockets, error) {
	if err := wantIPVS(ctx); err != nil {
		return nil, err
	}
	link, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	// The library warns on standard error about a missing modprobe.
	before := logrus.StandardLogger().Out
	logrus.SetOutput(io.Discard)
	v, err := ipvs.New("")
	logrus.SetOutput(before)
	if err != nil {
		link.Close()
		return nil, fmt.Errorf("netlink of IPVS: %w", err)
	}
	return &sockets{ipvs: v, link: link}, nil
}

// family is the name of IPVS's generic netlink family.
const family = "IPVS"

func wantIPVS(ctx context.Context) error {
	_, err := netlink.GenlFamilyGet(family)
	if err == nil {
		return nil
	}
	// The check makes the kernel load the module if it can.
	loadErr := exec.CommandContext(ctx, "modprobe", "-q", "ip_vs").Run()
	if _, again := netlink.GenlFamilyGet(family); again == nil {
		return nil
	}
	if errors.Is(err, unix.ENOENT) || os.IsNotExist(err) {
		return fmt.Errorf("%w (modprobe ip_vs: %v)", ErrNoIPVS, loadErr)
	}
	return fmt.Errorf("asking for IPVS: %w", explain(err))
}
