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

// sets are our ipsets by name.
type sets map[string]*set

// set is one ipset: its type with the options that make two sets
// interchangeable, and its members as ipset prints them.
type set struct {
	kind    string
	members map[string]bool
}

// aside reports whether an apply fills the set to swap it in.
func aside(name string) bool { return xtables.SetRole(name).Role == xtables.Aside }

// byRules reports whether rules fill the set.
func byRules(name string) bool { return xtables.SetRole(name).Role == xtables.Clients }

// parseSets reads what `ipset save` prints, or a file for `ipset restore`.
// Commands that fill a set aside and swap it in are carried out.
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

// few is how many members are changed one by one; more are swapped in at once.
const few = 16

// changes returns the ipset commands that go before the rules, and those that
// go after: what new rules need must be there first, and what old rules name
// must stay until they are gone.
func changes(have, want sets) (before, after []byte, steps []string) {
	for _, name := range sortedKeys(have) {
		// One that was never swapped in, because the apply was killed.
		if want[name] == nil && aside(name) {
			before = append(before, "destroy "+name+"\n"...)
			steps = append(steps, "remove set "+name)
		}
	}
	for _, name := range sortedKeys(want) {
		w, h := want[name], have[name]
		if h == nil {
			before = append(before, create(name, w)...)
			steps = append(steps, fmt.Sprintf("add set %s (%s)", name, backends.Count(len(w.members), "member")))
			continue
		}
		if h.kind != w.kind {
			before = append(before, retype(name, w)...)
			steps = append(steps, fmt.Sprintf("replace set %s by one of another type (%s)", name, backends.Count(len(w.members), "member")))
			continue
		}
		if byRules(name) || maps.Equal(h.members, w.members) {
			continue
		}
		b, a, step := refill(name, h, w)
		before, after, steps = append(before, b...), append(after, a...), append(steps, step)
	}
	for _, name := range sortedKeys(have) {
		if want[name] == nil && !aside(name) {
			after = append(after, "destroy "+name+"\n"...)
			steps = append(steps, "remove set "+name)
		}
	}
	return before, after, steps
}

func create(name string, s *set) string {
	var b strings.Builder
	b.WriteString("create " + name + " " + s.kind + "\n")
	for _, m := range sortedKeys(s.members) {
		b.WriteString("add " + name + " " + m + "\n")
	}
	return b.String()
}

// refill changes the members of a set. Few that come are added before the rules
// and few that go are removed after; many are filled aside and swapped in.
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
		// ipset wants no options there.
		after = append(after, "del "+name+" "+element(m)+"\n"...)
	}
	return before, after, step
}

// sameElement reports whether an element only changes its options: to the kernel
// that is one element, which must not be removed after it was added.
func sameElement(come, gone []string) bool {
	return slices.ContainsFunc(come, func(c string) bool {
		return slices.ContainsFunc(gone, func(g string) bool { return element(c) == element(g) })
	})
}

// element is a member without its options.
func element(m string) string {
	first, _, _ := strings.Cut(m, " ")
	return first
}

// swap fills a set aside and swaps it in, with all its members at once.
func swap(name string, want *set) []byte {
	beside := asideName(name)
	return []byte(create(beside, want) + "swap " + beside + " " + name + "\ndestroy " + beside + "\n")
}

// retype is for a set whose type is another one: the kernel swaps sets of one
// type only. No version of planec changes the type of a name without changing the
// name, so no rule of planec names it, and it can go before they come.
// Where a foreign rule does, that fails and nothing was changed.
func retype(name string, want *set) []byte {
	return []byte("destroy " + name + "\n" + create(name, want))
}

// asideName is short enough for a set (31 bytes) whatever the name is.
func asideName(name string) string {
	h := fnv.New64a()
	h.Write([]byte(name))
	return xtables.AsideSet + strconv.FormatUint(h.Sum64(), 36)
}
