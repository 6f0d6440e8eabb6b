package nodeconfig

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// The defaults of ip-masq-agent, and what it adds to any file
// (cmd/ip-masq-agent/ip-masq-agent.go: NewMasqConfig, linkLocalCIDR).
var (
	defaultNonMasquerade = []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"),
	}
	linkLocal4 = netip.MustParsePrefix("169.254.0.0/16")
	linkLocal6 = netip.MustParsePrefix("fe80::/10")
)

// defaultCIDRLimit is the maximum number of ranges in a file without
// cidrLimit.
const defaultCIDRLimit = 64

// agentKey is the ConfigMap key of ip-masq-agent's configuration.
const agentKey = "config"

// LoadMasquerade reads the configuration of ip-masq-agent: its file, or the
// ConfigMap with it. ipv6 is the agent's flag --enable-ipv6; a file that lists
// an IPv6 range enables it too.
func LoadMasquerade(path string, ipv6 bool) (ir.Masquerade, diag.List, error) {
	text, err := readFile(path)
	if err != nil {
		return ir.Masquerade{}, nil, err
	}
	return ReadMasquerade(path, text, ipv6)
}

// ReadMasquerade reads the text of a file with the given name; see
// [LoadMasquerade]. As in the agent, an empty file means the defaults, the case
// of names does not matter, and unknown fields are ignored, with a note.
func ReadMasquerade(name string, text []byte, ipv6 bool) (ir.Masquerade, diag.List, error) {
	r := &reader{file: name}
	roots := r.documents(text, 0)
	var root *yaml.Node
	switch {
	case len(roots) > 1:
		r.fail(roots[1].Line, "", "a second document in a configuration of ip-masq-agent")
	case len(roots) == 1:
		root = roots[0]
	}
	if _, kind := typeOf(root); kind == "ConfigMap" {
		at := nodeAt(root, "data", agentKey)
		if at == nil {
			r.fail(root.Line, "data["+agentKey+"]", "is missing")
		}
		root = r.nested(at)
	}
	o := r.object(root, "")
	o.anyCase = true
	m := r.masquerade(o, ipv6)
	m.Origin = ir.Origin{File: name, Line: 1}
	for _, f := range o.unknown() {
		r.notes.Add(diag.IgnoredSetting, ir.Origin{File: name, Line: f.line},
			fmt.Sprintf("ip-masq-agent does not know the field %.60q%s", f.name, suggest.DidYouMean(f.name, o.known)))
	}
	if err := r.err(); err != nil {
		return ir.Masquerade{}, nil, err
	}
	return m, r.notes, nil
}

// masquerade reads the agent's settings in a NodeConfig, where unknown
// fields are errors.
func (v value) masquerade() ir.Masquerade {
	o := v.object()
	m := v.r.masquerade(o, o.get("enableIPv6").bool())
	m.Origin = ir.Origin{Path: v.path, File: v.r.file, Line: v.line()}
	o.done()
	return m
}

func (r *reader) masquerade(o *object, ipv6 bool) ir.Masquerade {
	ranges := defaultNonMasquerade
	if list := o.get("nonMasqueradeCIDRs"); list.node != nil {
		ranges = list.agentCIDRs()
	}
	limit := defaultCIDRLimit
	if l := o.get("cidrLimit"); l.isSet() {
		limit = l.int()
	}
	if len(ranges) > limit {
		o.get("nonMasqueradeCIDRs").fail("%d ranges, and cidrLimit allows %d", len(ranges), limit)
	}
	if interval := o.get("resyncInterval"); interval.isSet() {
		if _, err := time.ParseDuration(interval.string()); err != nil {
			interval.fail("%.60q is no duration such as 60s", interval.string())
		}
	}
	local4, local6 := o.get("masqLinkLocal").bool(), o.get("masqLinkLocalIPv6").bool()

	m := ir.Masquerade{Families: []ir.Family{ir.IPv4}}
	exclude := append([]netip.Prefix(nil), ranges...)
	if !local4 {
		exclude = append(exclude, linkLocal4)
	}
	if ipv6 || len(ir.PrefixesOf(ir.IPv6, ranges)) > 0 {
		m.Families = append(m.Families, ir.IPv6)
		if !local6 {
			exclude = append(exclude, linkLocal6)
		}
	}
	m.Exclude = ir.DisjointPrefixes(exclude)
	return m
}

// agentCIDRs parses ranges like ip-masq-agent, which rejects bits after the
// prefix.
func (v value) agentCIDRs() []netip.Prefix {
	var out []netip.Prefix
	for _, item := range v.strings(false) {
		s := item.node.Value
		p, err := ParseCIDR(s)
		switch {
		case err != nil:
			item.fail("%v", err)
		case netip.MustParsePrefix(strings.TrimSpace(s)) != p:
			item.fail("%q has bits after its prefix: want %v", s, p)
		default:
			out = append(out, p)
		}
	}
	return out
}
