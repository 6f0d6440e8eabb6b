package live

import (
	"bytes"
	"fmt"

	"github.com/planec/planec/backends/xtables"
)

// differingSets parses the sets that differ between two files for ipset. Of a set
// that can be changed member by member, it parses only the members that differ.
func differingSets(before, after []byte) (have, want sets, err error) {
	gone, come := Differing(before, after, startsSet)
	old := make(map[string][]byte, len(gone))
	for _, g := range gone {
		old[setOf(g)] = g
	}
	have, want = make(sets), make(sets)
	for _, c := range come {
		name := setOf(c)
		o, there := old[name]
		delete(old, name)
		if there {
			if few, err := fewMembers(have, want, name, o, c); few || err != nil {
				if err != nil {
					return nil, nil, err
				}
				continue
			}
			if err := have.read(o); err != nil {
				return nil, nil, err
			}
		}
		if err := want.read(c); err != nil {
			return nil, nil, err
		}
	}
	for _, o := range old {
		if err := have.read(o); err != nil {
			return nil, nil, err
		}
	}
	return have, want, nil
}

// fewMembers parses the difference of a set in two files, if it is small enough to
// change the set member by member.
func fewMembers(have, want sets, name string, before, after []byte) (bool, error) {
	oldHead, oldMembers, oldTail := partsOf(before)
	head, members, tail := partsOf(after)
	gone, come := Differing(oldMembers, members, EveryLine)
	if len(gone)+len(come) > few {
		return false, nil
	}
	h, err := parseSets(joined(oldHead, gone, oldTail))
	if err != nil {
		return false, err
	}
	w, err := parseSets(joined(head, come, tail))
	if err != nil {
		return false, err
	}
	if h[name] == nil || w[name] == nil || h[name].kind != w[name].kind {
		return false, nil
	}
	if before, _, _ := refill(name, h[name], w[name]); bytes.Contains(before, []byte("swap ")) {
		return false, nil
	}
	have[name], want[name] = h[name], w[name]
	return true, nil
}

// partsOf splits the lines of a set into those before its members, the members,
// and those after them.
func partsOf(text []byte) (head, members, tail []byte) {
	add := []byte("\nadd ")
	first := bytes.Index(text, add)
	if first < 0 {
		return text, nil, nil
	}
	first++
	last := bytes.LastIndex(text, add) + 1
	if end := bytes.IndexByte(text[last:], '\n'); end >= 0 {
		last += end + 1
	} else {
		last = len(text)
	}
	return text[:first], text[first:last], text[last:]
}

func joined(head []byte, lines [][]byte, tail []byte) []byte {
	out := append([]byte{}, head...)
	for _, l := range lines {
		out = append(out, l...)
	}
	return append(out, tail...)
}

// read adds the sets of a part of a file.
func (s sets) read(text []byte) error {
	more, err := parseSets(text)
	for name, x := range more {
		if s[name] != nil {
			return fmt.Errorf("ipset: set %s is made twice", name)
		}
		s[name] = x
	}
	return err
}

// startsSet reports whether a line creates a set, unless this is the temporary set
// that fills the set of the previous line.
func startsSet(last, line []byte) bool {
	create := []byte("create ")
	if !bytes.HasPrefix(line, create) {
		return false
	}
	return !bytes.HasPrefix(last, create) || !xtables.FilledBy(setOf(line), setOf(last))
}

// setOf returns the set that a line concerns.
func setOf(line []byte) string {
	word, _, _ := bytes.Cut(secondWord(line), []byte("\n"))
	return string(word)
}
