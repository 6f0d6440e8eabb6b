package nftables

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/planec/planec/internal/text/nft"
)

// Ruleset is what a packet meets: at most one table for each family.
type Ruleset struct {
	tables map[nft.Family]*table
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
	r := &Ruleset{tables: make(map[nft.Family]*table)}
	for _, s := range source.Tables {
		t := &table{chains: make(map[string]*chain)}
		if err := t.read(s); err != nil {
			return nil, err
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
		if c.base != nil && c.base.Type == "nat" && c.base.Priority <= conntrackPriority {
			return fmt.Errorf("nftables rules: chain %s of type nat has the priority %d: the kernel wants one after connection tracking's, %d", c.name, c.base.Priority, conntrackPriority)
		}
		if c.base != nil {
			t.hooks[c.base.Hook] = append(t.hooks[c.base.Hook], c)
		}
	}
	for _, list := range t.hooks {
		slices.SortFunc(list, func(a, b *chain) int {
			return cmp.Or(cmp.Compare(a.base.Priority, b.base.Priority), cmp.Compare(a.name, b.name))
		})
	}
	return nil
}
