package cni

import (
	"slices"
	"strings"
)

// ciliumPlugin is the type of Cilium's plugin, first or behind another one.
const ciliumPlugin = "cilium-cni"

// match finds the system of one network, and says why.
func (l *look) match(c *conf) {
	first := &c.plugins[0]
	s, reasons := l.best(c, Systems())
	if s == nil {
		l.found.System, l.found.Preset = nil, Preset{}
		l.found.because("%s begins with the plugin %q, by which planec knows no system", c.file, first.kind)
		return
	}
	l.found.because("%s begins with the plugin %s", c.file, strings.Join(append([]string{first.kind}, reasons...), ", "))
	preset, why := s.refined(first)
	l.found.System, l.found.Preset, l.found.Why = s, preset, append(l.found.Why, why...)
	if first.kind != ciliumPlugin && slices.ContainsFunc(c.plugins[1:], func(p plugin) bool { return p.kind == ciliumPlugin }) {
		l.chained(c, s)
	}
}

// chained is Cilium behind another plugin: pods are Cilium's, interfaces the other one's.
func (l *look) chained(c *conf, first *System) {
	name := "cilium-chained"
	if slices.Contains(gkeDataplaneV2().Signs.Networks, c.network) {
		name = "gke-dataplane-v2"
	}
	s, err := Lookup(name)
	if err != nil {
		return // the table has both
	}
	l.found.because("%s stands behind %s", ciliumPlugin, first.Title)
	preset := l.found.Preset
	if own := s.Preset(); own.DetectLocal != "" {
		preset.DetectLocal = own.DetectLocal
	}
	l.found.System, l.found.Preset = s, preset
}

// best returns the system that a network fits best, with what spoke for it beside the type.
// Of systems with the type of the first plugin the one with the most signs wins, and one
// without any sign only if the type stands for it.
func (l *look) best(c *conf, systems []System) (best *System, reasons []string) {
	most := -1
	for i := range systems {
		s := &systems[i]
		if !slices.Contains(s.Signs.Types, c.plugins[0].kind) {
			continue
		}
		why, count := l.signs(s, c)
		if count == 0 && !s.Signs.Fallback {
			continue
		}
		if count > most {
			most, best, reasons = count, s, why
		}
	}
	return best, reasons
}

// signs are what speaks for one of the systems that share a type, and how many signs that
// are: every interface is one.
func (l *look) signs(s *System, c *conf) (why []string, count int) {
	for _, file := range s.Signs.Files {
		if strings.HasPrefix(c.file, file) {
			why = append(why, "in a file of its name")
			break
		}
	}
	if c.network != "" && slices.Contains(s.Signs.Networks, c.network) {
		why = append(why, "for its network "+c.network)
	}
	if b := c.plugins[0].bridge; b != "" && slices.Contains(s.Signs.Bridges, b) {
		why = append(why, "with its bridge "+b)
	}
	if has(l.interfaces, s.Signs.Interfaces) {
		count = len(s.Signs.Interfaces) - 1
		why = append(why, "beside "+strings.Join(s.Signs.Interfaces, " and "))
	}
	return why, count + len(why)
}

// has reports whether a node has all of the interfaces; no interfaces are no sign.
func has(interfaces, signs []string) bool {
	for _, sign := range signs {
		start, any := strings.CutSuffix(sign, "*")
		if !slices.ContainsFunc(interfaces, func(name string) bool { return name == sign || any && strings.HasPrefix(name, start) }) {
			return false
		}
	}
	return len(signs) > 0
}

// byInterfaces finds the system of a node without configurations by its interfaces: the
// only one of which all are there, or the one whose signs include those of all others.
func (l *look) byInterfaces() {
	var fit []System
	for _, s := range Systems() {
		if has(l.interfaces, s.Signs.Interfaces) {
			fit = append(fit, s)
		}
	}
	most := slices.DeleteFunc(slices.Clone(fit), func(s System) bool {
		return slices.ContainsFunc(fit, func(o System) bool {
			return len(o.Signs.Interfaces) > len(s.Signs.Interfaces) && includes(o.Signs.Interfaces, s.Signs.Interfaces)
		})
	})
	switch len(most) {
	case 0:
		l.found.because("no interface of the node is one plugin's alone")
	case 1:
		s := most[0]
		l.found.because("the node has %s", strings.Join(s.Signs.Interfaces, " and "))
		l.found.System, l.found.Preset = &s, s.Preset()
	default:
		for _, s := range most {
			l.found.Candidates = append(l.found.Candidates, s.Name)
		}
		l.found.because("the node has interfaces of %s", strings.Join(l.found.Candidates, " and "))
	}
}

func includes(all, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}
