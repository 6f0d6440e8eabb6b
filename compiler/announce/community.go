package announce

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/bgp"
	"github.com/planec/planec/ir/diag"
)

// parseNumbers reads numbers with colons between, each of at most the bits.
func parseNumbers(text string, count, bits int) (out [3]uint32, err error) {
	fields := strings.Split(text, ":")
	if len(fields) != count {
		return out, fmt.Errorf("%q has not %d numbers", clip(text), count)
	}
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 10, bits)
		if err != nil {
			return out, fmt.Errorf("%q: %q is no number of %d bits", clip(text), clip(f), bits)
		}
		out[i] = uint32(n)
	}
	return out, nil
}

func parseStandard(text string) (bgp.Community, error) {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return bgp.Community{Parts: [3]uint32{uint32(n >> 16), uint32(n & 0xffff)}}, nil
	}
	parts, err := parseNumbers(text, 2, 16)
	return bgp.Community{Parts: parts}, err
}

func parseLarge(text string) (bgp.Community, error) {
	parts, err := parseNumbers(text, 3, 32)
	return bgp.Community{Large: true, Parts: parts}, err
}

// parseMetalLB reads "64512:1" and "large:64512:1:2".
func parseMetalLB(text string) (bgp.Community, error) {
	if rest, large := strings.CutPrefix(text, "large:"); large {
		return parseLarge(rest)
	}
	parts, err := parseNumbers(text, 2, 16)
	return bgp.Community{Parts: parts}, err
}

// wellKnown returns a community by its name
// (https://www.iana.org/assignments/bgp-well-known-communities).
func wellKnown(name string) (bgp.Community, error) {
	low := map[string]uint32{
		"planned-shut": 0, "accept-own": 1, "route-filter-translated-v4": 2, "route-filter-v4": 3,
		"route-filter-translated-v6": 4, "route-filter-v6": 5, "llgr-stale": 6, "no-llgr": 7, "blackhole": 666,
		"no-export": 65281, "no-advertise": 65282, "no-export-subconfed": 65283, "no-peer": 65284,
	}
	if name == "internet" {
		return bgp.Community{}, nil
	}
	n, known := low[name]
	if !known {
		return bgp.Community{}, fmt.Errorf("%q is no name of a community", clip(name))
	}
	return bgp.Community{Parts: [3]uint32{0xffff, n}}, nil
}

// community adds a community to an advertisement. 0:0 is left out: it asks nothing of a router
// (RFC 1997 reserves it), and FRR writes it "internet" or 0:0, by version (FRRouting pull request 14141),
// so that a reload would find a difference each time.
func (c *Cluster) community(a *advert, value bgp.Community, at ir.Origin) {
	if value == (bgp.Community{}) {
		c.diags.Add(diag.BGPUndone, at, "the community 0:0 (internet) is left out: it is reserved, and versions of FRR write it differently")
		return
	}
	a.communities = bgp.Merge(a.communities, []bgp.Community{value})
}

// clip bounds a text of a message.
func clip(text string) string {
	const most = 80
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

func compareReasons(a, b bgp.Reason) int {
	return cmp.Or(cmp.Compare(a.Service, b.Service), a.Addr.Compare(b.Addr), cmp.Compare(a.By, b.By))
}
