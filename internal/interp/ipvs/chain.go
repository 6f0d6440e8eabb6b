package ipvs

import "errors"

// maxRules bounds the rules that one packet may meet: rules can be written to
// jump to and fro without end.
const maxRules = 1 << 16

var errEndless = errors.New("more rules than a packet can meet")

// through runs the tables of hooks one after the other.
func (w *walk) through(hooks ...hookTables) (verdict, error) {
	for _, h := range hooks {
		w.hook = h.hook
		for _, name := range h.tables {
			c := w.tables[name][h.hook]
			if c == nil {
				continue
			}
			v, err := w.chain(c, 0)
			if err != nil || v == drop || v == reject {
				return v, err
			}
		}
	}
	return accept, nil
}

// maxDepth bounds jumps within jumps.
const maxDepth = 64

// chain runs one chain; none means that its caller goes on.
func (w *walk) chain(c *chain, depth int) (verdict, error) {
	if depth > maxDepth {
		return none, errEndless
	}
	for i := range c.rules {
		r := &c.rules[i]
		if w.budget++; w.budget > maxRules {
			return none, errEndless
		}
		if !w.matches(r) {
			continue
		}
		w.step(c.table+" "+c.name, r.text)
		v, next := r.act(w)
		switch {
		case next != nil && r.goTo:
			return w.chain(next, depth+1)
		case next != nil:
			v, err := w.chain(next, depth+1)
			if v != none || err != nil {
				return v, err
			}
		case r.returns:
			return none, nil
		case v != none:
			w.last = r
			return v, nil
		}
	}
	return none, nil
}

func (w *walk) matches(r *rule) bool {
	for _, m := range r.matches {
		if m.fits(w) == m.negate {
			return false
		}
	}
	return true
}
