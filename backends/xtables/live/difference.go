package live

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/planec/planec/backends"
)

// differingStates compares the bytes of two artifacts as planec's emitters write them,
// and parses only the chains and sets that differ.
func differingStates(before, after backends.Artifact) (have, want *State, err error) {
	have, want = &State{}, &State{}
	for _, f := range []struct {
		name       string
		have, want *tables
	}{{"iptables", &have.ipv4, &want.ipv4}, {"ip6tables", &have.ipv6, &want.ipv6}} {
		old, now := differingRules(before.File(f.name+".rules"), after.File(f.name+".rules"))
		oldJumps, nowJumps := before.File(f.name+"-jumps.rules"), after.File(f.name+"-jumps.rules")
		if bytes.Equal(oldJumps, nowJumps) {
			oldJumps, nowJumps = nil, nil
		}
		if *f.have, err = parseTables(false, old, oldJumps); err != nil {
			return nil, nil, fmt.Errorf("%s.rules as applied: %w", f.name, err)
		}
		if *f.want, err = parseTables(false, now, nowJumps); err != nil {
			return nil, nil, fmt.Errorf("%s.rules: %w", f.name, err)
		}
	}
	have.sets, want.sets, err = differingSets(before.File("ipset.rules"), after.File("ipset.rules"))
	return have, want, err
}

// differingRules returns the chains that differ between two files for
// iptables-restore. It assumes that a chain's lines are contiguous; otherwise it
// returns the whole file.
func differingRules(before, after []byte) (old, now []byte) {
	if bytes.Equal(before, after) {
		return nil, nil
	}
	olds, inPieces := sections(before)
	news, alsoInPieces := sections(after)
	if inPieces || alsoInPieces {
		return before, after
	}
	for _, table := range order {
		gone, come := Differing(olds[table], news[table], startsChain)
		if len(gone)+len(come) == 0 {
			continue
		}
		old = appendSection(old, table, gone, come)
		now = appendSection(now, table, come, gone)
	}
	return old, now
}

// appendSection writes blocks of a table. If a chain has rules only in the other
// file's blocks, it is declared empty here, unless only the other file declares
// it.
func appendSection(b []byte, table string, own, others [][]byte) []byte {
	has, declaredThere := make(map[string]bool), make(map[string]bool)
	for _, x := range own {
		has[string(chainOf(x))] = true
	}
	for _, x := range others {
		if x[0] == ':' {
			declaredThere[string(chainOf(x))] = true
		}
	}
	b = append(b, "*"+table+"\n"...)
	for _, x := range own {
		b = append(b, x...)
	}
	for _, x := range others {
		if c := string(chainOf(x)); x[0] == '-' && !has[c] && !declaredThere[c] {
			b = append(b, ":"+c+" - [0:0]\n"...)
		}
	}
	return append(b, "COMMIT\n"...)
}

// sections splits a file by table, and reports whether a chain may be in several
// pieces, which is the case if chains are not sorted by name.
func sections(text []byte) (out map[string][]byte, inPieces bool) {
	out = make(map[string][]byte)
	table, start, at := "", 0, 0
	var last []byte
	for line := range bytes.Lines(text) {
		switch {
		case line[0] == '*':
			table, start, last = string(bytes.TrimSpace(line[1:])), at+len(line), nil
			inPieces = inPieces || out[table] != nil || !slices.Contains(order, table)
		case bytes.HasPrefix(line, []byte("COMMIT")):
			out[table] = text[start:at]
		case line[0] == '-':
			c := chainOf(line)
			inPieces = inPieces || bytes.Compare(last, c) > 0
			last = c
		}
		at += len(line)
	}
	return out, inPieces
}

// chainOf returns the chain that a line concerns: ":NAME - [0:0]" or "-A NAME
// ...".
func chainOf(line []byte) []byte {
	if line[0] == ':' {
		name, _, _ := bytes.Cut(line[1:], []byte(" "))
		return name
	}
	return secondWord(line)
}

// secondWord returns the second word of a line.
func secondWord(line []byte) []byte {
	_, rest, _ := bytes.Cut(line, []byte(" "))
	word, _, _ := bytes.Cut(rest, []byte(" "))
	return bytes.TrimSuffix(word, []byte("\n"))
}

// startsChain makes each declaration a block, and the rules of each chain another one.
func startsChain(last, line []byte) bool {
	return line[0] != '-' || last[0] != '-' || !bytes.Equal(chainOf(last), chainOf(line))
}

// ParseSets parses only the sets of an artifact that keep selects.
func ParseSets(a backends.Artifact, keep func(set string) bool) (*State, error) {
	out := Nothing()
	for _, b := range blocks(a.File("ipset.rules"), startsSet) {
		if !keep(setOf(b)) {
			continue
		}
		if err := out.sets.read(b); err != nil {
			return nil, err
		}
	}
	return out, nil
}
