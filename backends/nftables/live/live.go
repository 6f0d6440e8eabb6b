package live

import (
	"fmt"

	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/text/nft"
)

// Live holds the applied model for incremental changes. It is not safe for concurrent
// use. Change and Replace only plan. Call Commit after the kernel took the plan; discard
// the Live if the kernel refused it.
type Live struct {
	// unread is what is held as long as nothing needs its elements; then model is nil.
	unread *Wanted
	model  *Model
	// refs counts, for each table, the references to each chain: from data of
	// elements and from rules.
	refs map[nft.Family]map[string]int
	// ids counts, for each table, the elements with each Service's affinity ID.
	ids map[nft.Family]map[string]int
	// socket is for its plans.
	socket *kept
	// generation is the ruleset's after the last commit, if no other program changed the
	// ruleset since it was known; 0 if it never was.
	generation uint32
}

// NewLive holds a model that the kernel has. The model must come from Parse,
// and the Live takes it over.
func NewLive(m *Model) *Live {
	l := &Live{model: m, refs: make(map[nft.Family]map[string]int), ids: make(map[nft.Family]map[string]int), socket: &kept{}}
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

// Hold is [NewLive] of what a text says. What is not read yet is read once a change needs it; until then
// the text stays in memory, in the place of the model.
func Hold(w *Wanted) *Live {
	if w.read() {
		return NewLive(w.model)
	}
	return &Live{unread: w, socket: &kept{}}
}

// read reads what is held, unless that was done.
func (l *Live) read() error {
	if l.unread == nil {
		return nil
	}
	m, err := l.unread.Model()
	if err != nil {
		return fmt.Errorf("what is held: %w", err)
	}
	socket, generation := l.socket, l.generation
	*l = *NewLive(m)
	l.socket, l.generation = socket, generation
	return nil
}

// KnowGeneration says at which generation the kernel had the model.
func (l *Live) KnowGeneration(g uint32) { l.generation = g }

// later returns the generation after some transactions; the kernel leaves out 0.
func later(g uint32, transactions int) uint32 {
	for ; g != 0 && transactions > 0; transactions-- {
		g = max(g+1, 1)
	}
	return g
}

// countTargets adds n references to each chain that the rules of c lead to.
func countTargets(refs map[string]int, c *Chain, n int) {
	for _, r := range c.Rules {
		if r.to != "" {
			refs[r.to] += n
		}
	}
}

// Replace plans the change from the held model to another whole artifact,
// without reading the kernel.
func (l *Live) Replace(text []byte) (*Plan, error) {
	if err := l.read(); err != nil {
		return nil, err
	}
	want, err := parseText(text, l.model.seed, known{l.model, func(nftables.Role) bool { return true }})
	if err != nil {
		return nil, err
	}
	p := diffModels(l.model, want)
	p.socket = l.socket
	return p, nil
}

// Change plans the change from one fragment to another. A fragment is the
// artifact of a program with the node's facts, the changed frontends, all
// frontends that share an endpoint's address with them, and what differs of policies
// ([backends.PolicyChanges]). The cost depends only on the fragments. [ErrStructure] says that elements and the chains they lead
// to are not enough.
func (l *Live) Change(before, after []byte) (*Plan, error) { return l.change(before, after, false) }

// ChangePolicy is Change with the whole policy, possibly none, in the second
// fragment and none in the first: it replaces the held policy.
func (l *Live) ChangePolicy(before, after []byte) (*Plan, error) {
	return l.change(before, after, true)
}

func (l *Live) change(before, after []byte, policy bool) (*Plan, error) {
	if err := l.read(); err != nil {
		return nil, err
	}
	// Nearly all chains of a fragment are those that the kernel has. Elements are not shared:
	// a commit changes the held ones.
	shared := known{model: l.model}
	old, err := parseText(before, l.model.seed, shared)
	if err != nil {
		return nil, fmt.Errorf("before: %w", err)
	}
	if policy {
		shared.elements = nftables.Role.OfPolicy // the whole of them replaces the held ones
	}
	now, err := parseText(after, l.model.seed, shared)
	if err != nil {
		return nil, fmt.Errorf("after: %w", err)
	}
	p := &Plan{socket: l.socket}
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

// Commit records that the kernel took a plan of this Live.
func (l *Live) Commit(p *Plan) {
	l.generation = later(l.generation, p.committed)
	if p.want != nil {
		socket, generation := l.socket, l.generation
		*l = *NewLive(p.want)
		l.socket, l.generation = socket, generation
		return
	}
	for _, c := range p.changes {
		l.commit(c)
	}
}

// countElement adds n references to the chain or the affinity ID of one element.
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
