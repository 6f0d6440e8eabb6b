package live

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/backends"
)

// sets are our ipsets by name.
type sets map[string]*set

// set is one ipset: its type with the options that make two sets
// interchangeable, and its members as ipset prints them.
type set struct {
	kind    string
	members map[string]bool
}

// byRules reports whether rules fill the set.
func byRules(name string) bool { return strings.HasPrefix(name, clientPrefix) }

// parseSets reads what `ipset save` prints, or a file for `ipset restore`.
// Commands that fill a set aside and swap it in are carried out.
func parseSets(text []byte) (sets, error) {
	out := make(sets)
	for line := range bytes.Lines(text) {
		w := strings.Fields(string(line))
		if len(w) == 0 || len(w) > 1 && !strings.HasPrefix(w[1], setPrefix) {
			continue
		}
		if err := out.command(w); err != nil {
			return nil, fmt.Errorf("ipset: %q: %w", strings.TrimSpace(string(line)), err)
		}
	}
	return out, nil
}

func (s sets) command(w []string) error {
	if len(w) < 2 {
		return fmt.Errorf("too few words")
	}
	name := w[1]
	have := s[name]
	switch {
	case w[0] == "create" && len(w) >= 3:
		if have == nil {
			s[name] = &set{kind: kindOf(w[2:]), members: make(map[string]bool)}
		}
	case have == nil:
		return fmt.Errorf("set %s was not made", name)
	case w[0] == "flush":
		clear(have.members)
	case w[0] == "destroy":
		delete(s, name)
	case w[0] == "add" && len(w) >= 3:
		have.members[member(w[2:])] = true
	case w[0] == "swap" && len(w) == 3 && s[w[2]] != nil:
		s[name], s[w[2]] = s[w[2]], have
	default:
		return fmt.Errorf("unknown command")
	}
	return nil
}

// kindOf is the type with its options in one order, without those that the
// kernel changes (hashsize) or reports besides.
func kindOf(w []string) string {
	var options []string
	for i := 1; i < len(w); i++ {
		switch w[i] {
		case "hashsize", "bucketsize", "initval":
			i++ // and its value
		case "-exist":
		case "counters", "comment", "skbinfo", "forceadd":
			options = append(options, w[i])
		default:
			if i+1 < len(w) {
				options = append(options, w[i]+" "+w[i+1])
				i++
			}
		}
	}
	slices.Sort(options)
	return strings.Join(append([]string{w[0]}, options...), " ")
}

// member is an element with its options, as ipset prints it: without the
// timeout, which runs.
func member(w []string) string {
	out := w[0]
	for i := 1; i < len(w); i++ {
		switch w[i] {
		case "timeout", "packets", "bytes":
			i++
		case "-exist":
		default:
			out += " " + w[i]
		}
	}
	return canonical(out)
}

// canonical writes a host without the length that ipset leaves out.
func canonical(m string) string {
	parts := strings.Split(m, ",")
	for i, p := range parts {
		if strings.Contains(p, ":") {
			p = strings.TrimSuffix(p, "/128")
		} else {
			p = strings.TrimSuffix(p, "/32")
		}
		parts[i] = p
	}
	return strings.Join(parts, ",")
}

// few is how many members are changed one by one; more are swapped in at once.
const few = 16

// changes returns the ipset commands that go before the rules, and those that
// go after: what new rules need must be there first, and what old rules name
// must stay until they are gone.
func changes(have, want sets) (before, after []byte, steps []string) {
	for _, name := range sortedKeys(have) {
		// One that was never swapped in, because the apply was killed.
		if want[name] == nil && strings.HasPrefix(name, asidePrefix) {
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
		if want[name] == nil && !strings.HasPrefix(name, asidePrefix) {
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
	step = fmt.Sprintf("change set %s: %s to add, %d to remove%s", name, backends.Count(len(come), "member"), len(gone), named(slices.Concat(come, gone)))
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
	aside := asideName(name)
	return []byte(create(aside, want) + "swap " + aside + " " + name + "\ndestroy " + aside + "\n")
}

// retype is for a set whose type is another one: the kernel swaps sets of one
// type only. Nothing of ours changes the type of a name between versions without
// changing the name, so no rule of ours names it, and it can go before they come.
// Where a foreign rule does, that fails and nothing was changed.
func retype(name string, want *set) []byte {
	return []byte("destroy " + name + "\n" + create(name, want))
}

// asideName is short enough for a set (31 bytes) whatever the name is.
func asideName(name string) string {
	h := fnv.New64a()
	h.Write([]byte(name))
	return asidePrefix + strconv.FormatUint(h.Sum64(), 36)
}
