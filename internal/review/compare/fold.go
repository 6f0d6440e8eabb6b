package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
	"github.com/planec/planec/ir"
)

// line is a set of paths for one sentence: one end, the subject, and all other
// ends with the same ports and reasons.
type line struct {
	opened    bool
	direction ir.Direction
	subject   []*entity
	others    []*entity
	ports     clusterwide.Ports
	reasons   []diffreport.Reason
	// remaining names who could connect before (opened) or still can (closed).
	remaining string
	// partly reports that some others of a closed line keep some of its ports: "no
	// longer from anywhere" would be wrong.
	partly bool
	// kept are all ports that any of the others of a closed line keeps.
	kept clusterwide.Ports
	dns  bool
	// seen are the differences with these ports.
	seen map[*delta]bool
}

// lineKey is the common part of the paths of one line.
type lineKey struct {
	opened    bool
	direction ir.Direction
	subject   *entity
	// level is what gets through in the state that admits more.
	level, reasons string
	dns            bool
}

// setTexts caches the texts of sets.
type setTexts map[*clusterwide.Ports]string

func (t setTexts) of(s *clusterwide.Ports) string {
	text, known := t[s]
	if !known {
		text = s.String()
		t[s] = text
	}
	return text
}

// fold turns paths into findings: it first joins the others of each subject,
// then the subjects with the same sentence.
func (c *comparison) fold(paths []path) []diffreport.Finding {
	index, texts := make(map[lineKey]*line), make(setTexts)
	var lines []*line
	add := func(p *path, subject, others []*entity, dns bool) {
		level := p.is
		if !p.opened {
			level = p.was
		}
		key := lineKey{p.opened, p.direction, subject[0], texts.of(level), reasonKey(p.reasons), dns}
		l := index[key]
		if l == nil {
			l = &line{opened: p.opened, direction: p.direction, subject: subject, reasons: p.reasons, dns: dns, seen: make(map[*delta]bool)}
			index[key] = l
			lines = append(lines, l)
		}
		l.others = append(l.others, others...)
		if l.seen[p.delta] {
			return
		}
		l.seen[p.delta] = true
		l.ports = l.ports.Union(p.ports)
		if !p.opened {
			l.kept = l.kept.Union(*p.is)
		}
	}
	for i := range paths {
		p := &paths[i]
		subject, others := p.ends()
		add(p, subject, others, false)
		if servers := c.servers(p.to); len(servers) > 0 && p.asksDNS() {
			add(p, p.from, servers, true) // they would be overlooked in a long list
		}
	}
	for _, l := range lines {
		l.partly = !l.kept.Intersect(l.ports).Empty()
	}
	return c.sentences(lines)
}

// ends returns the subject of the sentence and the other ends: for ingress the
// destination and the sources, for egress the reverse.
func (p *path) ends() (subject, others []*entity) {
	if p.direction == ir.Ingress {
		return p.to, p.from
	}
	return p.from, p.to
}

// asksDNS reports whether the difference concerns DNS queries.
func (p *path) asksDNS() bool {
	return !p.opened && p.direction == ir.Egress && p.ports.Contains(ir.UDP, 53)
}

func reasonKey(list []diffreport.Reason) string {
	var b strings.Builder
	for _, r := range list {
		b.WriteString(r.Text + "\n")
	}
	return b.String()
}

// leftOf returns the formatter for the part of a set that the line is about.
func (l *line) leftOf() func(*clusterwide.Ports) string {
	known := make(map[*clusterwide.Ports]string)
	return func(s *clusterwide.Ports) string {
		text, have := known[s]
		if !have {
			if left := s.Intersect(l.ports); !left.Empty() {
				text = left.String()
			}
			known[s] = text
		}
		return text
	}
}

// remaining names the others of a subject that had (opened) or keep (closed)
// some of the line's ports; "" for none or too many.
func (c *comparison) remaining(l *line) string {
	const most = 2
	if l.dns {
		return ""
	}
	groups := make(map[string][]*entity)
	var order []string
	s, own := l.subject[0], variantOf(l.subject)
	left := l.leftOf()
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
		variant := variantOf(class)
		if l.direction == ir.Ingress {
			variant = own
		}
		text := left(c.symbolic(c.both(egress, ingress), variant))
		if text == "" {
			continue
		}
		if _, known := groups[text]; !known {
			order = append(order, text)
		}
		groups[text] = append(groups[text], class...)
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
	return clusterwide.Join(parts, "and")
}

// group is a set of lines that differ only in their subjects.
type group struct {
	line     *line
	subjects []*entity
	label    string
}

// withoutSpokenFor drops groups about pods outside of the input if pods of the input
// with the same labels have the same sentence.
func (c *comparison) withoutSpokenFor(groups []*group) []*group {
	key := func(g *group) string {
		return fmt.Sprint(g.line.opened, g.line.direction, g.line.dns, reasonKey(g.line.reasons))
	}
	told := make(map[string][]*entity)
	for _, g := range groups {
		for _, e := range g.subjects {
			if e.given() {
				told[key(g)] = append(told[key(g)], e)
			}
		}
	}
	return slices.DeleteFunc(groups, func(g *group) bool {
		same := told[key(g)]
		return !slices.ContainsFunc(g.subjects, func(e *entity) bool { return e.stand == nil || !c.spokenFor(e.stand, same) })
	})
}

// allLike reports whether all subjects are stand-ins for pods like those of workloads
// that come or go with the change. Policies for such pods are part of that change,
// and open or close nothing for other pods.
func (c *comparison) allLike(subjects, workloads []*entity) bool {
	return !slices.ContainsFunc(subjects, func(e *entity) bool { return e.stand == nil || !c.spokenFor(e.stand, workloads) })
}

// sentences joins lines that differ only in their subject.
func (c *comparison) sentences(lines []*line) []diffreport.Finding {
	// few is the number of subjects up to which the remaining ends are named.
	const few = 3
	index := make(map[string]*group)
	var groups []*group
	keys, labels, times := make([]string, len(lines)), make([]string, len(lines)), make(map[string]int)
	for i, l := range lines {
		labels[i] = c.describe(l.others, l.subject)
		keys[i] = fmt.Sprintf("%v %v %s %v %s %v", l.opened, l.direction, labels[i], l.ports, reasonKey(l.reasons), l.dns)
		times[keys[i]]++
	}
	for i, l := range lines {
		if n := times[keys[i]]; n <= 1 || n <= few && l.direction != ir.Egress {
			l.remaining = c.remaining(l)
		}
		key := keys[i] + l.remaining
		g := index[key]
		if g == nil {
			g = &group{line: l, label: labels[i]}
			index[key] = g
			groups = append(groups, g)
		}
		g.subjects = append(g.subjects, l.subject...)
	}
	var out []diffreport.Finding
	for _, g := range c.withoutSpokenFor(groups) {
		f := c.finding(g.line, g.subjects, g.label)
		switch {
		case c.allLike(g.subjects, c.fresh):
			continue // workloads reports who reaches new workloads, and whom they reach
		case c.allLike(g.subjects, c.gone):
			f.Kind = diffreport.Removed
		}
		out = append(out, f)
	}
	return out
}

func (c *comparison) finding(l *line, subjects []*entity, others string) diffreport.Finding {
	subject := c.describe(subjects, nil)
	f := diffreport.Finding{Kind: diffreport.Closed, Reasons: l.reasons, Ports: l.ports.String(), Size: weight(subjects) * weight(l.others)}
	can, ports := "can no longer", negate(f.Ports)
	if l.opened {
		f.Kind, can, ports = diffreport.Opened, "can now", f.Ports
	} else if l.partly {
		ports = f.Ports // not all of the others lost all of these ports
	} else {
		others = negate(others)
	}
	f.From, f.To = c.labels(l.others), c.labels(subjects)
	if l.direction == ir.Egress {
		f.From, f.To = f.To, f.From
	}
	several := len(subjects) > 1 || subjects[0].count > 1
	if only := onlyGiven(subjects); only != nil && only.label() == subject {
		several = only.count > 1
	}
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

// only describes what stays open of a partly closed path, and what was open before.
func (l *line) only(subject string, several bool, others, ports string) (text, before string) {
	it := "it"
	if several {
		it = "they"
	}
	on := ""
	if ports != clusterwide.WordEveryPort {
		on = " on " + ports
	}
	if l.direction == ir.Ingress {
		return fmt.Sprintf("%s can now be reached%s only from %s", subject, on, l.remaining),
			fmt.Sprintf("Before, %s could be reached from %s on %s", it, others, ports)
	}
	return fmt.Sprintf("%s can now reach%s only %s", subject, on, l.remaining),
		fmt.Sprintf("Before, %s could reach %s on %s", it, others, ports)
}

// negate adapts text to a sentence with "no longer". Names contain no spaces, so
// it replaces only planec's own words.
func negate(s string) string {
	return strings.NewReplacer(everywhere, "anywhere (pods, nodes or outside)", everyNamespace, "other pods of any namespace", "every ", "any ", " and ", " or ").Replace(s)
}

// besides returns the sentence about who could connect before, or still can.
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

// onlyGiven returns the only entity of a list that is not a stand-in, or nil if
// there are none or several.
func onlyGiven(list []*entity) *entity {
	var out *entity
	for _, e := range list {
		switch {
		case e.stand != nil || e.node != nil:
		case out != nil:
			return nil
		default:
			out = e
		}
	}
	return out
}

// weight measures how much a list of entities concerns: all stand-ins together
// count as one.
func weight(list []*entity) int {
	n, others := 0, 0
	for _, e := range list {
		if e.stand != nil || e.node != nil {
			others = 1
		} else {
			n++
		}
	}
	return n + others
}

// labels identifies entities for machines, without duplicates.
func (c *comparison) labels(list []*entity) []string {
	var out []string
	seen := make(map[string]bool)
	add := func(label string) {
		if !seen[label] {
			seen[label] = true
			out = append(out, label)
		}
	}
	for _, e := range list {
		switch {
		case e.node != nil:
			add(e.node.nodeText())
		case e.stand == nil:
			add(e.label())
		}
	}
	for _, text := range c.standInLabels(list) {
		add(text)
	}
	return out
}
