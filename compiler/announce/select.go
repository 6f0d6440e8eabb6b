package announce

import (
	"fmt"
	"net/netip"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// selector compiles a selector; a wrong one is said and selects nothing.
func (c *Cluster) selector(s *metav1.LabelSelector, at ir.Origin) labels.Selector {
	compiled, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		c.diags.Add(diag.BadBGP, at, "it selects nothing: "+diag.Printable(clip(err.Error())))
		return labels.Nothing()
	}
	return compiled
}

// anyOf compiles selectors of which one must match; none matches all.
func (c *Cluster) anyOf(list []metav1.LabelSelector, at ir.Origin, path string) func(labels.Set) bool {
	if len(list) == 0 {
		return func(labels.Set) bool { return true }
	}
	compiled := make([]labels.Selector, 0, len(list))
	for i := range list {
		compiled = append(compiled, c.selector(&list[i], at.At(fmt.Sprintf("%s[%d]", path, i))))
	}
	return func(l labels.Set) bool {
		return slices.ContainsFunc(compiled, func(s labels.Selector) bool { return s.Matches(l) })
	}
}

// nodesOf compiles selectors of nodes.
func (c *Cluster) nodesOf(list []metav1.LabelSelector, at ir.Origin, path string) func(*Node) bool {
	matches := c.anyOf(list, at, path)
	return func(n *Node) bool { return matches(n.Labels) }
}

// number returns a number of an object in a range; another one is said, and is 0.
func (c *Cluster) number(n int64, low, high int64, at ir.Origin) int64 {
	if n < low || n > high {
		c.diags.Add(diag.BadBGP, at, fmt.Sprintf("%d is not between %d and %d: it is left out", n, low, high))
		return 0
	}
	return n
}

// addr returns an address of an object; a wrong one is said, and is invalid.
func (c *Cluster) addr(text string, at ir.Origin) netip.Addr {
	if text == "" {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
		c.diags.Add(diag.BadBGP, at, fmt.Sprintf("%q is no address of a router: it is left out", clip(text)))
		return netip.Addr{}
	}
	return a.Unmap()
}

// word returns the name of an interface or a VRF; a wrong one is said, and is "". Linux takes 15
// bytes; here they are letters, digits and -_.:@ alone.
func (c *Cluster) word(text string, at ir.Origin) (string, bool) {
	const most = 15
	ok := len(text) <= most
	for _, b := range []byte(text) {
		ok = ok && (b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '-' || b == '_' || b == '.' || b == ':' || b == '@')
	}
	if !ok {
		c.diags.Add(diag.BadBGP, at, fmt.Sprintf("%q is no name of an interface or a VRF", clip(text)))
	}
	return text, ok
}

// link returns the name of an interface, as [Cluster.word] does. Linux lets an interface be named
// as an address is written; FRR takes such a name for the address (str2sockunion), and refuses the neighbor.
func (c *Cluster) link(text string, at ir.Origin) (string, bool) {
	if _, err := netip.ParseAddr(text); err == nil {
		c.diags.Add(diag.BGPUndone, at, fmt.Sprintf("FRR takes the name %q of an interface for an address: the neighbor is left out", clip(text)))
		return "", false
	}
	return c.word(text, at)
}

const (
	maxASN = 1<<32 - 1
	maxTTL = 255
)
