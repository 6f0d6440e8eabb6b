package live

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/internal/text/ipset"
)

// sets are planec's ipsets by name.
type sets map[string]*set

// set is one ipset. kind is its type with the options that must be equal for a
// swap; members are in ipset's output format.
type set struct {
	kind    string
	members map[string]bool
}

// aside reports whether the set is a temporary set of an apply.
func aside(name string) bool { return xtables.SetRole(name).Role == xtables.Aside }

// byRules reports whether rules fill the set.
func byRules(name string) bool { return xtables.SetRole(name).Role == xtables.Clients }

// parseSets reads output of `ipset save`, or a file for `ipset restore`. It
// carries out commands that fill a temporary set and swap it in.
func parseSets(text []byte) (sets, error) {
	out := make(sets)
	for c, err := range ipset.Commands(text) {
		if err == nil && xtables.SetRole(c.Set).Role != xtables.Foreign {
			err = out.command(&c)
		}
		if err != nil {
			return nil, fmt.Errorf("ipset: %w", err)
		}
	}
	return out, nil
}

func (s sets) command(c *ipset.Command) error {
	have := s[c.Set]
	switch {
	case c.Verb == "create":
		made, err := c.Create()
		if err == nil && have == nil {
			s[c.Set] = &set{kind: made.Kind(), members: make(map[string]bool)}
		}
		return err
	case have == nil:
		return c.Errorf("set %s was not made", c.Set)
	case c.Verb == "flush":
		clear(have.members)
	case c.Verb == "destroy":
		delete(s, c.Set)
	case c.Verb == "add":
		e, err := c.Add()
		have.members[e.String()] = true
		return err
	case s[c.Rest] == nil:
		return c.Errorf("set %s was not made", c.Rest)
	default:
		s[c.Set], s[c.Rest] = s[c.Rest], have
	}
	return nil
}

// few is the maximum number of members changed one by one; above it, the set is swapped.
const few = 16

// changes returns the ipset commands to run before and after the rules are loaded:
// sets that new rules need must exist before, and sets that old rules name must
// stay until these rules are removed.
func changes(have, want sets) (before, after []byte, steps []string) {
	for _, name := range sortedKeys(have) {
		// A killed apply left this set before it was swapped in.
		if want[name] == nil && aside(name) {
			before = append(before, "destroy "+name+"\n"...)
			steps = append(steps, "remove set "+name)
		}
	}
	var empty []string
	for _, name := range sortedKeys(want) {
		w, h := want[name], have[name]
		if h == nil {
			before = append(before, create(name, w)...)
			if len(w.members) == 0 {
				empty = append(empty, name)
				continue
			}
			steps = append(steps, fmt.Sprintf("add set %s (%s)", name, backends.Count(len(w.members), "member")))
			continue
		}
		if h.kind != w.kind {
			// The kernel swaps only sets of the same type. No planec version reuses a name
			// for another type, so no planec rule refers to the old set, and it can be
			// destroyed first. If a foreign rule does, the command fails without a change.
			before = append(before, "destroy "+name+"\n"+create(name, w)...)
			steps = append(steps, fmt.Sprintf("replace set %s by one of another type (%s)", name, backends.Count(len(w.members), "member")))
			continue
		}
		if byRules(name) || maps.Equal(h.members, w.members) {
			continue
		}
		b, a, step := refill(name, h, w)
		before, after, steps = append(before, b...), append(after, a...), append(steps, step)
	}
	if len(empty) > 0 {
		steps = append(steps, addEmpty(empty))
	}
	for _, name := range sortedKeys(have) {
		if want[name] == nil && !aside(name) {
			after = append(after, "destroy "+name+"\n"...)
			steps = append(steps, "remove set "+name)
		}
	}
	return before, after, steps
}

// addEmpty says in one line which sets come without members: a first apply makes some twenty of
// them, which later changes or rules fill.
func addEmpty(names []string) string {
	const most = 3
	if len(names) == 1 {
		return fmt.Sprintf("add set %s (0 members)", names[0])
	}
	more := ""
	if n := len(names) - most; n > 0 {
		names, more = names[:most], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("add empty sets %s%s", strings.Join(names, ", "), more)
}

func create(name string, s *set) string {
	var b strings.Builder
	b.WriteString("create " + name + " " + s.kind + "\n")
	for _, m := range sortedKeys(s.members) {
		b.WriteString("add " + name + " " + m + "\n")
	}
	return b.String()
}

// refill changes the members of a set. Up to few members are added before the rules are
// loaded and removed afterwards; otherwise the whole set is filled and swapped in.
func refill(name string, have, want *set) (before, after []byte, step string) {
	var come, gone []string
	for _, m := range sortedKeys(want.members) {
		if !have.members[m] {
			come = append(come, m)
		}
	}
	for _, m := range sortedKeys(have.members) {
		if !want.members[m] {
			gone = append(gone, m)
		}
	}
	var n backends.Named
	for _, m := range slices.Concat(come, gone) {
		_, name := ipset.Named(m)
		n.Add(name)
	}
	step = fmt.Sprintf("change set %s: %s to add, %d to remove%s", name, backends.Count(len(come), "member"), len(gone), n.String())
	if len(come)+len(gone) > few || sameElement(come, gone) {
		return swap(name, want), nil, step
	}
	for _, m := range come {
		before = append(before, "add "+name+" "+m+"\n"...)
	}
	for _, m := range gone {
		// "del" accepts no options.
		after = append(after, "del "+name+" "+element(m)+"\n"...)
	}
	return before, after, step
}

// sameElement reports whether an element only changes its options. The kernel
// treats both as one element, which must not be removed after it was added.
func sameElement(come, gone []string) bool {
	return slices.ContainsFunc(come, func(c string) bool {
		return slices.ContainsFunc(gone, func(g string) bool { return element(c) == element(g) })
	})
}

// element returns a member without its options.
func element(m string) string {
	first, _, _ := strings.Cut(m, " ")
	return first
}

// swap fills a temporary set with all members and swaps it in.
func swap(name string, want *set) []byte {
	beside := asideName(name)
	return []byte(create(beside, want) + "swap " + beside + " " + name + "\ndestroy " + beside + "\n")
}

// asideName returns a name within the limit of 31 bytes for every input.
func asideName(name string) string {
	h := fnv.New64a()
	h.Write([]byte(name))
	return xtables.AsideSet + strconv.FormatUint(h.Sum64(), 36)
}
