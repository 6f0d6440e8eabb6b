package report

import (
	"slices"
	"strings"

	"github.com/planec/planec/compiler/objects"
)

// words splits a line at the separators of all rule languages; the text between
// quotes is one more word. They are appended to out.
func words(out []string, l string) []string {
	from := 0
	for i := range len(l) {
		if separates(l[i]) {
			if i > from {
				out = append(out, l[from:i])
			}
			from = i + 1
		}
	}
	if from < len(l) {
		out = append(out, l[from:])
	}
	for rest := l; ; {
		_, after, ok := strings.Cut(rest, `"`)
		if !ok {
			return out
		}
		quoted, more, ok := strings.Cut(after, `"`)
		if !ok {
			return out
		}
		out, rest = append(out, quoted), more
	}
}

// separates reports whether a byte ends a word. A page that compiles while one types
// asks it for each byte of all rules.
func separates(b byte) bool {
	switch b {
	case ' ', '\t', '"', ',', '{', '}', '(', ')', '=', ';':
		return true
	}
	return false
}

// ofLine returns the objects behind a line's words.
func (x *index) ofLine(l string) []int {
	x.line = words(x.line[:0], l)
	return x.ofWords(x.line)
}

func (x *index) ofWords(words []string) []int {
	var ids []int
	for _, w := range words {
		found, known := x.found[w] // most words are in many lines
		if !known {
			found = x.find(w)
			x.found[w] = found
		}
		ids = append(ids, found...)
	}
	return unique(ids)
}

func unique(ids []int) []int {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// use marks objects as used by a line.
func (x *index) use(ids []int) []int {
	for _, i := range ids {
		x.objects[i].Used = true
	}
	return ids
}

func split(text []byte) []string {
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// text joins the lines of a program: indented lines belong to the line above
// them, and origins are written out.
func (x *index) text(text []byte) []line {
	var out []line
	var head []int
	for _, l := range split(text) {
		ids := append(x.ofLine(l), x.written(l)...)
		if !strings.HasPrefix(l, " ") {
			head = ids
		} else {
			ids = append(ids, head...)
		}
		out = append(out, line{Text: l, Objects: x.use(unique(ids))})
	}
	return out
}

// written finds an origin in a line of a program: "Kind" "namespace" "name".
func (x *index) written(l string) []int {
	var quoted []string
	for i, part := range strings.Split(l, `"`) {
		if i%2 == 1 {
			quoted = append(quoted, part)
		}
	}
	for i := 0; i+2 < len(quoted); i++ {
		if id, ok := x.byName[objects.Identity{Kind: quoted[i], Namespace: quoted[i+1], Name: quoted[i+2]}]; ok {
			return []int{id}
		}
	}
	return nil
}

// rules joins the lines of a backend's file. A chain without a name of an
// object belongs to the objects of its lines.
func (x *index) rules(text []byte) []line {
	lines := split(text)
	chains := make(map[string][]int)
	found, named := make([][]int, len(lines)), make([][]string, len(lines))
	for i, l := range lines {
		found[i] = x.ofLine(l)
		for _, w := range x.line {
			if !isChain(w) {
				continue
			}
			chain := strings.Trim(w, ":")
			named[i] = append(named[i], chain)
			if len(found[i]) > 0 {
				chains[chain] = append(chains[chain], found[i]...)
			}
		}
	}
	out := make([]line, 0, len(lines))
	for i, l := range lines {
		ids := found[i]
		if len(ids) == 0 {
			for _, chain := range named[i] {
				ids = append(ids, chains[chain]...)
			}
		}
		out = append(out, line{Text: printable(l), Objects: x.use(unique(ids))})
	}
	return out
}

// isChain reports whether the word is an iptables chain for one object: its name
// ends in a hash.
func isChain(w string) bool {
	const hash, longHash = 16, 22
	w = strings.Trim(w, ":")
	if !strings.HasPrefix(w, "PLC-") {
		return false
	}
	at := strings.LastIndexByte(w, '-')
	if n := len(w) - at - 1; n != hash && n != longHash {
		return false
	}
	return at > 0
}

// printable keeps a line on one line.
func printable(l string) string { return strings.ToValidUTF8(l, "\uFFFD") }
