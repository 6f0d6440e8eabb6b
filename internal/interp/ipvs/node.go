package ipvs

import (
	"fmt"
	"net/netip"
	"strings"
)

// parseAddresses reads what ip -batch does, and returns the addresses that are
// bound.
func parseAddresses(text []byte) ([]netip.Addr, error) {
	var out []netip.Addr
	device := ""
	return out, eachLine(text, func(words []string) error {
		r := &reader{words: words}
		switch verb := r.next() + " " + r.next(); verb {
		case "link add":
			device = r.next()
			r.want("type", "dummy")
		case "link set":
			r.want(device, "up")
		case "address flush":
			r.want("dev", device)
			out = nil
		case "address add":
			p := r.prefix(r.next())
			r.want("dev", device)
			if p.Addr().Is6() {
				r.want("nodad", "preferred_lft", "0")
			}
			if !p.IsSingleIP() {
				r.fail("%v is a network: it would make a route", p)
			}
			out = append(out, p.Addr())
		default:
			return fmt.Errorf("command %q is not known", verb)
		}
		return r.end()
	})
}

// parseSysctls reads "name = value" lines.
func parseSysctls(text []byte) (map[string]string, error) {
	out := make(map[string]string)
	return out, eachLine(text, func(words []string) error {
		if len(words) != 3 || words[1] != "=" || !strings.HasPrefix(words[0], "net.") {
			return fmt.Errorf("want %q", "net.name = value")
		}
		out[words[0]] = words[2]
		return nil
	})
}
