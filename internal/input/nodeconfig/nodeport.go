package nodeconfig

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/compiler/objects"
)

// ParseNodePortAddresses parses --nodeport-addresses: CIDRs and keywords in any
// mixture; each item may be a list separated by commas. The keywords are those of
// Kubernetes 1.37: "primary" (the Node's InternalIPs, else ExternalIPs), "all" and
// "localhost" (127.0.0.0/8 and ::1/128). A repeated keyword is an error.
func ParseNodePortAddresses(items []string) (objects.NodePortAddresses, error) {
	var p nodePortParser
	for _, item := range items {
		for _, s := range splitCommas(item) {
			if err := p.add(s); err != nil {
				return objects.NodePortAddresses{}, err
			}
		}
	}
	return p.out, nil
}

// nodePortParser parses nodePortAddresses, entry by entry.
type nodePortParser struct {
	out objects.NodePortAddresses
	// seen are the keywords so far: each may be given once
	// (validateKubeProxyNodePortAddress of Kubernetes).
	seen map[string]bool
}

// nodePortKeywords maps keywords to CIDRs.
var nodePortKeywords = map[string][]netip.Prefix{
	"all":       {netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
	"localhost": {netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
}

// add parses one entry; it may be called again after an error.
func (n *nodePortParser) add(s string) error {
	cidrs, keyword := nodePortKeywords[s]
	keyword = keyword || s == "primary"
	if !keyword {
		p, err := ParseCIDR(s)
		if err != nil {
			return fmt.Errorf(`%w, nor one of "primary", "all" and "localhost"`, err)
		}
		n.out.CIDRs = append(n.out.CIDRs, p)
		return nil
	}
	if n.seen[s] {
		return fmt.Errorf("%q is given twice; each keyword may be given once", s)
	}
	if n.seen == nil {
		n.seen = make(map[string]bool)
	}
	n.seen[s] = true
	n.out.Primary = n.out.Primary || s == "primary"
	n.out.CIDRs = append(n.out.CIDRs, cidrs...)
	return nil
}
