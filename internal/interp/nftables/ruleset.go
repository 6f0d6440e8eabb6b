package nftables

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/planec/planec/internal/text/nft"
	"github.com/planec/planec/ir"
)

// Ruleset is what a packet meets: at most one table for each family.
type Ruleset struct {
	tables map[ir.Family]*table
}

type table struct {
	// sets are in the order of [nft.Set.Index].
	sets   []*set
	chains map[string]*chain
	// hooks are the base chains by hook, in the order of their priorities.
	hooks [nft.Postrouting + 1][]*chain
}

type chain struct {
	name  string
	base  *nft.Base
	rules []rule
}

type rule struct {
	text       string
	statements []nft.Statement
}

// Parse reads rules. Whatever is not known is an error that names the line.
func Parse(text []byte) (*Ruleset, error) {
	source, err := nft.Parse(text)
	if err != nil {
		return nil, err
	}
	r := &Ruleset{tables: make(map[ir.Family]*table)}
	for _, s := range source.Tables {
		t := &table{chains: make(map[string]*chain)}
		if err := t.read(s); err != nil {
			return nil, err
		}
		if err := t.finish(); err != nil {
			return nil, fmt.Errorf("nftables rules, %v table: %w", s.Family, err)
		}
		r.tables[s.Family] = t
	}
	return r, nil
}

func (t *table) read(source *nft.Table) error {
	for _, s := range source.Sets {
		read, err := readSet(s)
		if err != nil {
			return err
		}
		t.sets = append(t.sets, read)
	}
	for _, s := range source.Chains {
		c := &chain{name: s.Name, base: s.Base}
		for number, line := range s.Lines() {
			r, err := s.Rule(number, line)
			if err != nil {
				return err
			}
			c.rules = append(c.rules, rule{r.Text, slices.Clone(r.Statements)})
		}
		t.chains[c.name] = c
	}
	return nil
}

// finish orders the base chains and checks that every chain named exists.
func (t *table) finish() error {
	for _, c := range t.chains {
		if c.base != nil {
			t.hooks[c.base.Hook] = append(t.hooks[c.base.Hook], c)
		}
		for _, r := range c.rules {
			for _, s := range r.statements {
				if d, ok := s.(nft.Decide); ok && d.Chain != "" && t.chains[d.Chain] == nil {
					return fmt.Errorf("chain %s: no chain %q", c.name, d.Chain)
				}
			}
		}
	}
	for _, list := range t.hooks {
		slices.SortFunc(list, func(a, b *chain) int {
			return cmp.Or(cmp.Compare(a.base.Priority, b.base.Priority), cmp.Compare(a.name, b.name))
		})
	}
	for _, s := range t.sets {
		for e := range s.elements() {
			if e.chain != "" && t.chains[e.chain] == nil {
				return fmt.Errorf("map %s: no chain %q", s.source.Name, e.chain)
			}
		}
	}
	return nil
}
