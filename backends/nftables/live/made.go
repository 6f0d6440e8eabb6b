package live

import "github.com/planec/planec/internal/text/nft"

// Made is what a plan of [Diff] put into tables that were read before: the elements of sets
// that were empty. The ruleset has the generation that follows from the plan's own transactions, so
// no program made another one since it was read, and the kernel took these as a whole.
type Made struct {
	generation uint32
	sets       map[nft.Family]map[string]*Set
}

// Made returns what an applied plan made; nil if other programs may have changed the ruleset
// since it was read, or if the plan is not that of [Diff].
func (p *Plan) Made() *Made { return p.made }

// madeBy returns what the plan made with transactions that all carried its generation.
func madeBy(p *Plan) *Made {
	if !p.observed {
		return nil
	}
	m := &Made{generation: following(p.generation, p.committed), sets: make(map[nft.Family]map[string]*Set)}
	for _, c := range p.changes {
		sets := make(map[string]*Set)
		for i := range c.elems {
			if e := &c.elems[i]; e.whole && !e.set.interval() {
				sets[e.set.Name] = e.set
			}
		}
		m.sets[c.family] = sets
	}
	return m
}
