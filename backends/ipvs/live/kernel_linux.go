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

// Kernel is the one of the network namespace of the calling thread.
type Kernel struct {
	rules *xtlive.Tools
}

// New puts rules in with these tools.
func New(rules *xtlive.Tools) *Kernel { return &Kernel{rules: rules} }

// sockets are those of one call.
type sockets struct {
	ipvs *ipvs.Handle
	link *netlink.Handle
	// stay are the removals that connections were in the way of.
	stay []change
}

func (s *sockets) close() {
	s.ipvs.Close()
	s.link.Close()
}

// open wants IPVS in the kernel. It asks for it itself, because the library
// remembers for good that it was not there, and from then on sends requests that
// the kernel takes for empty ones and calls done.
func open(ctx context.Context) (*sockets, error) {
	if err := wantIPVS(ctx); err != nil {
		return nil, err
	}
	link, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	v, err := quietly(func() (*ipvs.Handle, error) { return ipvs.New("") })
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
	// Asking makes the kernel load the module, where it can.
	loadErr := exec.CommandContext(ctx, "modprobe", "-q", "ip_vs").Run()
	if _, again := netlink.GenlFamilyGet(family); again == nil {
		return nil
	}
	if errors.Is(err, unix.ENOENT) || os.IsNotExist(err) {
		return fmt.Errorf("%w (modprobe ip_vs: %v)", ErrNoIPVS, loadErr)
	}
	return fmt.Errorf("asking for IPVS: %w", explain(err))
}

// quietly runs what writes remarks about a missing modprobe to the standard error.
func quietly[T any](f func() (T, error)) (T, error) {
	before := logrus.StandardLogger().Out
	logrus.SetOutput(io.Discard)
	defer logrus.SetOutput(before)
	return f()
}
