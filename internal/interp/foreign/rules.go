package foreign

import (
	"fmt"
	"slices"

	"github.com/planec/planec/ir/space"
)

// Rules are the rules of one family.
type Rules struct {
	// IPv6 is the family.
	IPv6 bool
	// IPTables says that they are those of iptables-save.
	IPTables bool
	// hooks are the base chains of each hook, in the order of their priorities.
	hooks [hooks][]*chain
	// Skipped names what is not judged, with its lines.
	Skipped []string
}

// hook is a hook of netfilter.
type hook uint8

const (
	prerouting hook = iota
	input
	forward
	output
	postrouting
	hooks
)

var hookNames = map[string]hook{"prerouting": prerouting, "input": input, "forward": forward, "output": output, "postrouting": postrouting}

// chain is a chain of rules; base chains have a priority.
type chain struct {
	name     string
	nat      bool
	priority int
	rules    []rule
	// drops says that the policy is to drop.
	drops bool
}

type rule struct {
	line int
	text string
	// statements are taken in order, until one does not match.
	statements []statement
}

// statement matches packets, or does something with them, and reports whether the rule
// goes on.
type statement func(*machine) bool

// verdict is what a rule decides.
type verdict uint8

const (
	goOn verdict = iota
	accept
	drop
	reject
	giveBack
	jump
	goTo
)

// decision is a verdict, with the chain that it leads to.
type decision struct {
	verdict verdict
	chain   *chain
}

// affinity is a set of clients that rules fill.
type affinity struct {
	name string
	// seconds is how long a client stays.
	seconds uint32
}

// add adds a base chain to its hook.
func (r *Rules) add(h hook, c *chain) {
	r.hooks[h] = append(r.hooks[h], c)
	slices.SortStableFunc(r.hooks[h], func(a, b *chain) int { return a.priority - b.priority })
}

// check rejects chains that lead to themselves.
func (r *Rules) check(leads map[*chain][]*chain) error {
	const inside, done = 1, 2
	seen := make(map[*chain]int)
	var visit func(c *chain) error
	visit = func(c *chain) error {
		switch seen[c] {
		case inside:
			return fmt.Errorf("chain %s leads to itself", c.name)
		case done:
			return nil
		}
		seen[c] = inside
		for _, next := range leads[c] {
			if err := visit(next); err != nil {
				return err
			}
		}
		seen[c] = done
		return nil
	}
	for _, list := range r.hooks {
		for _, c := range list {
			if err := visit(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// opaque is a statement that is not understood. It is listed as skipped: if packets come to
// it, nothing is proved, so a proof lists only those that none comes to.
func (r *Rules) opaque(line int, text string, reason error) statement {
	err := &NotUnderstood{line, text, reason}
	r.Skipped = append(r.Skipped, fmt.Sprintf("line %d is not understood (%v), and no packet comes to it: %s", line, reason, text))
	return func(m *machine) bool {
		m.packets.Fail(err)
		return false
	}
}

// NotUnderstood says that packets come to a rule that is not understood, so that nothing can
// be said about them.
type NotUnderstood struct {
	Line   int    // of the listing, from 1
	Text   string // the rule
	Reason error
}

// Error names the line.
func (e *NotUnderstood) Error() string {
	return fmt.Sprintf("line %d: packets come to a rule that is not understood (%v): %s", e.Line, e.Reason, e.Text)
}

// Unwrap returns the reason.
func (e *NotUnderstood) Unwrap() error { return e.Reason }

// within matches a value that is in the set, or not.
func within(v func(*machine) space.Value, set space.Set, negated bool) statement {
	return func(m *machine) bool { return m.packets.Within(v(m), &set) != negated }
}
