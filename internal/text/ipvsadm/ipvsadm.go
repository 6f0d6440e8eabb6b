// Package ipvsadm parses the input of ipvsadm -R as far as planec writes it:
// virtual services with a scheduler and persistence, and masqueraded destinations
// with a weight. All other input is an error that names its line.
package ipvsadm

import (
	"iter"
	"net/netip"
	"strings"

	"github.com/planec/planec/internal/text/quoted"
)

// Key identifies a virtual service: by protocol, address and port, or by a mark
// and a family.
type Key struct {
	// Protocol is the protocol number in the IP header (IANA); 0 if Mark is set.
	Protocol uint8
	Address  netip.AddrPort // the address and port; zero if Mark is set
	// Mark is the firewall mark; 0 if Address is set.
	Mark uint32
	IPv6 bool // whether the virtual service is of the IPv6 family
}

// Command adds a virtual service, or adds a destination to one.
type Command struct {
	Key
	// Adds is whether the command adds a destination.
	Adds bool
	// Scheduler and Persistence are set for a service. The scheduler is not checked,
	// because the kernel defines the list; persistence is in seconds, 0 means none.
	Scheduler   string
	Persistence uint32
	// Destination and Weight are set for a destination, which has the service's family.
	Destination netip.AddrPort
	Weight      uint16
	// Text is the whole line.
	Text string
}

// maxPersistence is the limit of ipvsadm, in seconds.
const maxPersistence = 31 * 86400

// Commands yields the commands of a text, up to the first error.
func Commands(text []byte) iter.Seq2[Command, error] { return quoted.Lines(text, parse) }

func parse(line string) (Command, error) {
	r := quoted.NewReader(strings.Split(line, " ")) // ipvsadm has no quotes
	c := Command{Text: line}
	switch verb := r.Next(); verb {
	case "-A":
		c.Key = key(r)
		c.service(r)
	case "-a":
		c.Adds, c.Key = true, key(r)
		c.destination(r)
	default:
		r.Fail("command %q is not known", verb)
	}
	return c, r.End()
}

func key(r *quoted.Reader) (k Key) {
	switch kind := r.Next(); kind {
	case "-t":
		k.Protocol = 6
	case "-u":
		k.Protocol = 17
	case "--sctp-service":
		k.Protocol = 132
	case "-f":
		if k.Mark = uint32(r.Uint(32)); k.Mark == 0 {
			r.Fail("mark 0 selects nothing")
		}
		k.IPv6 = r.Skip("-6")
		return k
	default:
		r.Fail("%q selects no virtual service", kind)
	}
	k.Address = addrPort(r)
	k.IPv6 = k.Address.Addr().Is6()
	return k
}

func (c *Command) service(r *quoted.Reader) {
	r.Want("-s")
	c.Scheduler = r.Next()
	if r.Skip("-p") {
		if c.Persistence = uint32(r.Uint(32)); c.Persistence == 0 || c.Persistence > maxPersistence {
			r.Fail("ipvsadm takes no persistence of %d s", c.Persistence)
		}
	}
}

func (c *Command) destination(r *quoted.Reader) {
	r.Want("-r")
	c.Destination = addrPort(r)
	r.Want("-m", "-w")
	c.Weight = uint16(r.Uint(16))
	if c.Destination.Addr().Is6() != c.IPv6 {
		r.Fail("destination %v is of another family", c.Destination)
	}
}

func addrPort(r *quoted.Reader) netip.AddrPort {
	a, err := netip.ParseAddrPort(r.Next())
	if err != nil {
		r.Fail("%w", err)
	}
	return a
}
