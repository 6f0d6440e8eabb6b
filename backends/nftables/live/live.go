package live

import (
	"fmt"

	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/text/nft"
)

// Live is what was applied, to be changed again and again. It is for one
// goroutine. Change and Replace only look; the caller that has applied their plan says so
// with Commit, and whose plan was refused forgets the Live.
type Live struct {
	model *Model
	// refs counts, for each table, who leads to a chain: data of elements, and
	// rules.
	refs map[nft.Family]map[string]int
	// ids counts, for each table, the elements that have a Service's affinity ID.
	ids map[nft.Family]map[string]int
}

// NewLive holds a model that the kernel has. It must come from Parse and is the
// Live's from now on.
func NewLive(m *Model) *Live {
	l := &Live{model: m, refs: make(map[nft.Family]map[string]int), ids: make(map[nft.Family]map[string]int)}
	for _, t := range m.Tables {
		refs, ids := make(map[string]int), make(map[string]int)
		for _, s := range t.Sets {
			if !s.verdicts() && s.role != nftables.ServiceIDs {
				continue
			}
			for _, r := range s.Elems.all() {
				countElement(refs, ids, s, r, 1)
			}
		}
		for _, c := range t.Chains {
			countTargets(refs, c, 1)
		}
		l.refs[t.Family], l.ids[t.Family] = refs, ids
	}
	return l
}

// countTargets adds what the rules of a chain lead to.
func countTargets(refs map[string]int, c *Chain, n int) {
	for _, r := range c.Rules {
		if r.to != "" {
			refs[r.to] += n
		}
	}
}

// Replace plans the way from what is held to another whole artifact, without
// reading the kernel.
func (l *Live) Replace(text []byte) (*Plan, error) {
	want, err := parseText(text, l.model.seed, l.model)
	if err != nil {
		return nil, err
	}
	return diffModels(l.model, want), nil
}

// Change plans the way from one fragment to another: artifacts of programs that
// have the node's facts and only the frontends that change, together with all
// that share an endpoint's address with them. What it costs depends on the
// fragments only. [ErrStructure] says that it cannot be done by elements and by
// chains that elements lead to.
func (l *Live) Change(before, after []byte) (*Plan, error) { return l.change(before, after, false) }

// ChangePolicy is Change where the second fragment has the whole policy, also
// none, and the first has none: what is held of the policy becomes the second's.
func (l *Live) ChangePolicy(before, after []byte) (*Plan, error) {
	return l.change(before, after, true)
}

func (l *Live) change(before, after []byte, policy bool) (*Plan, error) {
	old, err := parseText(before, l.model.seed, nil)
	if err != nil {
		return nil, fmt.Errorf("before: %w", err)
	}
	var known *Model
	if policy {
		known = &Model{}
		for _, t := range l.model.Tables {
			known.Tables = append(known.Tables, t.policy())
		}
	}
	now, err := parseText(after, l.model.seed, known)
	if err != nil {
		return nil, fmt.Errorf("after: %w", err)
	}
	p := &Plan{}
	for _, f := range []nft.Family{nft.IPv4, nft.IPv6} {
		c, err := l.changeTable(f, old.Table(f), now.Table(f), policy)
		if err != nil {
			return nil, fmt.Errorf("table %v %s: %w", f, tableNamed, err)
		}
		if !c.empty() {
			p.changes = append(p.changes, c)
		}
	}
	return p, nil
}

// Commit says that the kernel took a plan of this Live.
func (l *Live) Commit(p *Plan) {
	if p.want != nil {
		*l = *NewLive(p.want)
		return
	}
	for _, c := range p.changes {
		l.commit(c)
	}
}

// countElement counts what one element leads to, or whose ID it has.
func countElement(refs, ids map[string]int, s *Set, r record, n int) {
	switch {
	case s.verdicts():
		if to := chainOf(r.data); len(to) > 0 {
			refs[string(to)] += n
		}
	case s.role == nftables.ServiceIDs:
		if ids[string(r.data)] += n; ids[string(r.data)] == 0 {
			delete(ids, string(r.data))
		}
	}
}
