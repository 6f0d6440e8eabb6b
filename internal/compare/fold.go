package compare

import (
	"fmt"
	"strings"

	"github.com/planec/planec/internal/diffreport"
	"github.com/planec/planec/ir"
)

// line is paths that are told in one sentence: of one end, the subject, with all
// others that have the same ports and reasons.
type line struct {
	opened    bool
	direction ir.Direction
	subject   []*entity
	others    []*entity
	ports     portSet
	reasons   []diffreport.Reason
	// remaining says who could before (opened) or still can (closed).
	remaining string
	dns       bool
}

// fold turns paths into findings: first the others of each subject are put
// together, then subjects of which the same is to be said.
func (c *comparison) fold(paths []path) []diffreport.Finding {
	index := make(map[string]*line)
	var lines []*line
	add := func(p *path, dns bool) {
		subject, others := p.ends()
		level := p.is
		if !p.opened {
			level = p.was
		}
		key := fmt.Sprintf("%v %v %p %v %v %v", p.opened, p.direction, subject[0], level, reasonKey(p.reasons), dns)
		l := index[key]
		if l == nil {
			l = &line{opened: p.opened, direction: p.direction, subject: subject, reasons: p.reasons, dns: dns}
			index[key] = l
			lines = append(lines, l)
		}
		l.others = append(l.others, others...)
		l.ports = l.ports.union(p.ports)
	}
	for i := range paths {
		add(&paths[i], false)
		if c.dns[paths[i].to[0]] && paths[i].asksDNS() {
			add(&paths[i], true) // among a hundred other things it would be overlooked
		}
	}
	for _, l := range lines {
		l.remaining = c.remaining(l, paths)
	}
	return c.sentences(lines)
}

// ends returns whom the sentence is about and whom it names besides: for ingress
// the destination and the sources, for egress the other way round.
func (p *path) ends() (subject, others []*entity) {
	if p.direction == ir.Ingress {
		return p.to, p.from
	}
	return p.from, p.to
}

// asksDNS reports whether the difference is about asking for names.
func (p *path) asksDNS() bool {
	return !p.opened && p.direction == ir.Egress && p.ports.contains(ir.UDP, 53)
}

func reasonKey(list []diffreport.Reason) string {
	var b strings.Builder
	for _, r := range list {
		b.WriteString(r.Text + "\n")
	}
	return b.String()
}

// remaining says who of a subject's others had (opened) or keeps (closed) any of
// the line's ports; "" where that is nobody or too many to say.
func (c *comparison) remaining(l *line, paths []path) string {
	const most = 2
	if l.dns {
		return ""
	}
	groups := make(map[string][]*entity)
	var order []string
	s := l.subject[0]
	for _, class := range c.classes {
		from, to := class[0], s
		if l.direction == ir.Egress {
			from, to = s, class[0]
		}
		if from.role != podRole && to.role != podRole || from == to && len(class) == 1 && from.count == 1 {
			continue
		}
		x, f, t := c.before, &from.before, &to.before
		if !l.opened {
			x, f, t = c.after, &from.after, &to.after
		}
		egress, ingress := x.answers(f, t)
		if left := egress.intersect(ingress).intersect(l.ports); !left.empty() {
			text := left.String()
			if _, known := groups[text]; !known {
				order = append(order, text)
			}
			groups[text] = append(groups[text], class...)
		}
	}
	if len(order) == 0 || len(order) > most {
		return ""
	}
	var parts []string
	for _, text := range order {
		label := c.describe(groups[text], l.subject)
		if len(order) == 1 && text == l.ports.String() {
			parts = append(parts, label)
			continue
		}
		parts = append(parts, label+" on "+text)
	}
	return strings.Join(parts, ", ")
}

// sentences puts lines together that differ in their subject only.
func (c *comparison) sentences(lines []*line) []diffreport.Finding {
	type group struct {
		line     *line
		subjects []*entity
		label    string
	}
	index := make(map[string]*group)
	var groups []*group
	for _, l := range lines {
		label := c.describe(l.others, l.subject)
		key := fmt.Sprintf("%v %v %s %v %s %s %v", l.opened, l.direction, label, l.ports, l.remaining, reasonKey(l.reasons), l.dns)
		g := index[key]
		if g == nil {
			g = &group{line: l, label: label}
			index[key] = g
			groups = append(groups, g)
		}
		g.subjects = append(g.subjects, l.subject...)
	}
	var out []diffreport.Finding
	for _, g := range groups {
		out = append(out, c.finding(g.line, g.subjects, g.label))
	}
	return out
}

func (c *comparison) finding(l *line, subjects []*entity, others string) diffreport.Finding {
	subject := c.describe(subjects, nil)
	f := diffreport.Finding{Kind: diffreport.Closed, Reasons: l.reasons, Ports: l.ports.String(), Size: len(subjects) * len(l.others)}
	can, before := "can no longer", "still"
	if l.opened {
		f.Kind, can, before = diffreport.Opened, "can now", "before, only"
	}
	names, with := labels(subjects), labels(l.others)
	switch {
	case l.direction == ir.Ingress:
		f.Text = fmt.Sprintf("%s %s be reached from %s on %s", subject, can, others, f.Ports)
		f.From, f.To = with, names
	case l.dns:
		f.Text = fmt.Sprintf("%s can no longer ask for names: %s is out of reach on %s", subject, others, f.Ports)
		f.From, f.To, f.Urgent = names, with, true
	default:
		f.Text = fmt.Sprintf("%s %s reach %s on %s", subject, can, others, f.Ports)
		f.From, f.To = names, with
	}
	if l.remaining != "" {
		f.Text += fmt.Sprintf(" (%s %s)", before, l.remaining)
	}
	return f
}

func labels(list []*entity) []string {
	var out []string
	seen := make(map[string]bool)
	for _, e := range list {
		if !seen[e.label()] {
			seen[e.label()] = true
			out = append(out, e.label())
		}
	}
	return out
}
