// Package ipbatch parses the input of ip -batch as far as planec writes it: a
// dummy device and its addresses. All other input is an error that names its line.
package ipbatch

import (
	"iter"
	"net/netip"
	"strings"

	"github.com/planec/planec/internal/text/quoted"
)

// Command is one line.
type Command struct {
	// Verb is "link add", "link set" (sets the device up), "address flush" or
	// "address add".
	Verb, Device string
	// Address is added with full prefix length. An IPv6 address is deprecated, so
	// that the kernel does not choose it as a source.
	Address netip.Addr
}

// Commands yields the commands of a text, up to the first error.
func Commands(text []byte) iter.Seq2[Command, error] { return quoted.Lines(text, parse) }

func parse(line string) (Command, error) {
	r := quoted.NewReader(strings.Fields(line))
	c := Command{Verb: r.Next() + " " + r.Next()}
	switch c.Verb {
	case "link add":
		c.Device = r.Next()
		r.Want("type", "dummy")
	case "link set":
		c.Device = r.Next()
		r.Want("up")
	case "address flush":
		r.Want("dev")
		c.Device = r.Next()
	case "address add":
		p, err := netip.ParsePrefix(r.Next())
		if err != nil || !p.IsSingleIP() {
			r.Fail("no single address; a network would make a route")
		}
		r.Want("dev")
		c.Address, c.Device = p.Addr(), r.Next()
		if c.Address.Is6() {
			r.Want("nodad", "preferred_lft", "0")
		}
	default:
		r.Fail("command %q is not known", c.Verb)
	}
	return c, r.End()
}
