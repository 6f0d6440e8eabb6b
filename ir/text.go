package ir

import (
	"bytes"
	"net/netip"
	"strconv"
)

// textHeader is the first line of the text form. Its number changes if an
// older reader could misread a newer file.
const textHeader = "planec-ir 1"

// Text returns the canonical text form of a normalized program: one line per fact, in
// canonical order, for reading and diffs. Only tests read it back (irtest.ParseText).
func (p *Program) Text() []byte {
	w := textWriter{}
	w.line(textHeader)
	w.node(&p.Node)
	w.masquerade(&p.Masquerade)
	for _, a := range p.ClusterIPs {
		w.line("cluster-ip", a.String())
	}
	for i := range p.HealthChecks {
		w.healthCheck(&p.HealthChecks[i])
	}
	for i := range p.Frontends {
		w.frontend(&p.Frontends[i])
	}
	for i := range p.Pools {
		w.pool(&p.Pools[i])
	}
	w.policy(&p.Policy)
	return w.Bytes()
}

type textWriter struct{ bytes.Buffer }

// line writes words without quotes.
func (w *textWriter) line(words ...string) {
	for i, word := range words {
		if i > 0 {
			w.WriteByte(' ')
		}
		w.WriteString(word)
	}
	w.WriteByte('\n')
}

// fact writes an indented line.
func (w *textWriter) fact(words ...string) {
	w.WriteString("  ")
	w.line(words...)
}

func quote(s string) string { return strconv.Quote(s) }

func (w *textWriter) node(n *Node) {
	w.line("\nnode", quote(n.Name))
	for _, a := range n.Addresses {
		w.fact("address", a.String())
	}
	for _, a := range n.NodePorts.Addresses {
		w.fact("nodeport-address", a.String())
	}
	w.prefixes("nodeport-prefix", n.NodePorts.Prefixes)
	switch n.Local.Mode {
	case DetectInterface, DetectInterfacePrefix:
		w.fact("local", n.Local.Mode.String(), quote(n.Local.Interface))
	default:
		w.fact("local", n.Local.Mode.String())
	}
	w.prefixes("local-cidr", n.Local.CIDRs)
	w.prefixes("service-cidr", n.ServiceCIDRs)
	if n.DropInvalid {
		w.fact("drop-invalid")
	}
}

func (w *textWriter) prefixes(word string, prefixes []netip.Prefix) {
	for _, p := range prefixes {
		w.fact(word, p.String())
	}
}

func (w *textWriter) masquerade(m *Masquerade) {
	if len(m.Families) == 0 && len(m.Exclude) == 0 && m.Origin.IsZero() {
		return
	}
	w.line("\nmasquerade")
	for _, f := range m.Families {
		w.fact("family", f.String())
	}
	w.prefixes("exclude", m.Exclude)
	w.origin(m.Origin)
}

func (w *textWriter) healthCheck(h *HealthCheck) {
	w.line("\nhealth-check", quote(h.Namespace), quote(h.Name), h.Family.String())
	w.fact("port", strconv.Itoa(int(h.Port)))
	w.fact("local-endpoints", strconv.Itoa(h.LocalEndpoints))
	w.origin(h.Origin)
}

func (w *textWriter) frontend(f *Frontend) {
	w.line("\nfrontend", quote(f.ID))
	s := f.Service
	w.fact("kind", f.Kind.String())
	w.fact("service", quote(s.Namespace), quote(s.Name), quote(s.Port), s.Protocol.String())
	where := "node"
	if f.Match.Address.IsValid() {
		where = f.Match.Address.String()
	}
	w.fact("match", f.Match.Family.String(), where, f.Match.Protocol.String(), strconv.Itoa(int(f.Match.Port)))
	w.prefixes("source-range", f.SourceRanges)
	if f.Affinity != 0 {
		w.fact("affinity", strconv.FormatUint(uint64(f.Affinity), 10))
	}
	if f.Internal == f.External {
		w.route("both", f.Internal)
	} else {
		w.route("internal", f.Internal)
		w.route("external", f.External)
	}
	if f.Elsewhere {
		w.fact("elsewhere")
	}
	for _, e := range f.Lasting {
		w.fact("lasting", e.String())
	}
	w.origin(f.Origin.Get())
}

func (w *textWriter) route(side string, r Route) {
	w.fact("route", side, quote(r.Pool), r.Masquerade.String(), r.OnEmpty.String())
}

func (w *textWriter) pool(p *Pool) {
	w.line("\npool", quote(p.ID))
	w.origin(p.Origin.Get())
	for i := range p.Endpoints {
		e := &p.Endpoints[i]
		place := "remote"
		if e.Local {
			place = "local"
		}
		words := []string{"endpoint", e.Address.String(), place, strconv.Itoa(int(e.Weight))}
		w.fact(append(words, originWords(e.Origin())...)...)
	}
}

func (w *textWriter) origin(o Origin) {
	if !o.IsZero() {
		w.fact(append([]string{"origin"}, originWords(o)...)...)
	}
}

func originWords(o Origin) []string {
	if o.IsZero() {
		return nil
	}
	return []string{quote(o.Kind), quote(o.Namespace), quote(o.Name), quote(o.Path), quote(o.File), strconv.Itoa(o.Line)}
}
