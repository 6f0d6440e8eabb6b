package nft

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// words are those of a line, to be taken one after the other.
type words struct {
	list []string
	at   int
}

// split splits at single spaces, but keeps what is in quotes whole, quotes included.
// The words are appended to list.
func split(list []string, text string) (words, error) {
	for rest := text; rest != ""; rest = strings.TrimPrefix(rest, " ") {
		end := strings.IndexByte(rest, ' ')
		if rest[0] == '"' {
			if end = strings.IndexByte(rest[1:], '"') + 2; end == 1 {
				return words{}, fmt.Errorf("a quote is not closed")
			}
			if end < len(rest) && rest[end] != ' ' {
				return words{}, fmt.Errorf("something after a quote")
			}
		}
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return words{}, fmt.Errorf("two spaces")
		}
		list = append(list, rest[:end])
		rest = rest[end:]
	}
	return words{list: list}, nil
}

func (w *words) done() bool { return w.at >= len(w.list) }

func (w *words) peek() string { return w.peekAt(0) }

func (w *words) peekAt(n int) string {
	if w.at+n >= len(w.list) {
		return ""
	}
	return w.list[w.at+n]
}

func (w *words) next() string {
	s := w.peek()
	w.at++
	return s
}

// accept takes the words if they come next.
func (w *words) accept(list ...string) bool {
	if w.at+len(list) > len(w.list) || !slices.Equal(w.list[w.at:w.at+len(list)], list) {
		return false
	}
	w.at += len(list)
	return true
}

func (w *words) expect(list ...string) error {
	if !w.accept(list...) {
		return fmt.Errorf("want %q, got %q", strings.Join(list, " "), w.peek())
	}
	return nil
}

// field reads one expression.
func (w *words) field() (Field, error) {
	if w.accept("numgen", "random", "mod") {
		n, err := w.modulus()
		return Field{Kind: Index, Source: Random, Modulus: n}, err
	}
	switch {
	case w.accept("iif"):
		return Field{Kind: Iface, Source: InInterface}, nil
	case w.accept("oif"):
		return Field{Kind: Iface, Source: OutInterface}, nil
	}
	name := [2]string{w.next(), w.next()}
	f, ok := fields[name]
	if !ok {
		return f, fmt.Errorf("unknown statement or expression %q", name[0]+" "+name[1])
	}
	return f, nil
}

// concat reads expressions with dots between them.
func (w *words) concat() ([]Field, error) {
	list := make([]Field, 0, 5)
	for {
		f, err := w.field()
		if err != nil {
			return nil, err
		}
		list = append(list, f)
		if !w.accept(".") {
			return list, nil
		}
	}
}

func (w *words) modulus() (uint32, error) {
	n, err := strconv.ParseUint(w.next(), 10, 32)
	if err == nil && n == 0 {
		err = fmt.Errorf("modulus 0")
	}
	return uint32(n), err
}

// number reads an unsigned number of 32 bits, "0x..." in hexadecimal.
func (w *words) number() (uint32, error) {
	base, s := 10, w.next()
	if h, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = h, 16
	}
	n, err := strconv.ParseUint(s, base, 32)
	return uint32(n), err
}
