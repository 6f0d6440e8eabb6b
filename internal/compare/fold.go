package compare

import (
	"fmt"
	"slices"
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
	// partly is whether some of the others of a closed line keep some of its ports: "no
	// longer from anywhere" would be wrong.
	partly bool
	dns    bool
}

// fold turns paths into findings: first the others of each subject are put
// together, then subjects of which the same is to be said.
func (c *comparison) fold(paths []path) []diffreport.Finding {
	index := make(map[string]*line)
	var lines []*line
	add := func(p *path, subject, others []*entity, dns bool) {
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
		p := &paths[i]
		subject, others := p.ends()
		add(p, subject, others, false)
		if servers := c.servers(p.to); len(servers) > 0 && p.asksDNS() {
			add(p, p.from, servers, true) // among a hundred others they would be overlooked
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
	closed := make(map[*entity]bool)
	for _, e := range l.others {
		closed[e] = !l.opened
	}
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
		if left := egress.intersect(*ingress).intersect(l.ports); !left.empty() {
			text := left.String()
			if _, known := groups[text]; !known {
				order = append(order, text)
			}
			groups[text] = append(groups[text], class...)
			l.partly = l.partly || slices.ContainsFunc(class, func(e *entity) bool { return closed[e] })
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
	return join(parts, "and")
}

// sentences puts lines together that differ in their subject only.
func (c *comparison) sentences(lines []*line) []diffreport.Finding {
	type group struct {
		line     *line
		subjects []*entity
		label    string
	}
	// few is for how many subjects it is said who is left.
	const few = 3
	index := make(map[string]*group)
	var groups []*group
	keys, times := make([]string, len(lines)), make(map[string]int)
	for i, l := range lines {
		keys[i] = fmt.Sprintf("%v %v %s %v %s %v", l.opened, l.direction, c.describe(l.others, l.subject), l.ports, reasonKey(l.reasons), l.dns)
		times[keys[i]]++
	}
	for i, l := range lines {
		label := c.describe(l.others, l.subject)
		if n := times[keys[i]]; n > few || n > 1 && l.direction == ir.Egress {
			l.remaining = ""
		}
		key := keys[i] + l.remaining
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
	can, ports := "can no longer", negate(f.Ports)
	if l.opened {
		f.Kind, can, ports = diffreport.Opened, "can now", f.Ports
	} else if l.partly {
		ports = f.Ports // not from all of them on all of these, though from some on some
	} else {
		others = negate(others)
	}
	f.From, f.To = labels(l.others), labels(subjects)
	if l.direction == ir.Egress {
		f.From, f.To = f.To, f.From
	}
	several := len(subjects) > 1 || subjects[0].count > 1
	switch {
	case l.partly && l.remaining != "":
		f.Text, f.Besides = l.only(subject, several, others, f.Ports)
		return f
	case l.direction == ir.Ingress:
		f.Text = fmt.Sprintf("%s %s be reached from %s on %s", subject, can, others, ports)
	case l.dns:
		f.Text = fmt.Sprintf("%s can no longer resolve names: %s is out of reach", subject, others)
		f.Urgent = true
	default:
		f.Text = fmt.Sprintf("%s %s reach %s on %s", subject, can, others, ports)
	}
	if l.remaining != "" {
		f.Besides = l.besides(several)
	}
	return f
}

// only says what is left where some of what was closed stays open, and what there was
// before.
func (l *line) only(subject string, several bool, others, ports string) (text, before string) {
	it := "it"
	if several {
		it = "they"
	}
	on := ""
	if ports != wordEveryPort {
		on = " on " + ports
	}
	if l.direction == ir.Ingress {
		return fmt.Sprintf("%s can now be reached%s only from %s", subject, on, l.remaining),
			fmt.Sprintf("Before, %s could be reached from %s on %s", it, others, ports)
	}
	return fmt.Sprintf("%s can now reach%s only %s", subject, on, l.remaining),
		fmt.Sprintf("Before, %s could reach %s on %s", it, others, ports)
}

// negate is for sentences with "no longer" in them. Names have no spaces, so that
// nothing but our own words is replaced.
func negate(s string) string {
	return strings.NewReplacer(everywhere, "anywhere (pods, nodes or outside)", "every ", "any ", " and ", " or ").Replace(s)
}

// besides is the sentence about who could before, or still can.
func (l *line) besides(several bool) string {
	it, again := "it", "It can"
	if several {
		it, again = "they", "They can"
	}
	switch {
	case l.opened && l.direction == ir.Ingress:
		return fmt.Sprintf("Before, %s could be reached only from %s", it, l.remaining)
	case l.opened:
		return fmt.Sprintf("Before, %s could reach only %s", it, l.remaining)
	case l.direction == ir.Ingress:
		return fmt.Sprintf("%s still be reached from %s", again, l.remaining)
	}
	return fmt.Sprintf("%s still reach %s", again, l.remaining)
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
