package nftables

import (
	"fmt"
	"strings"
)

// tokens splits a line at spaces. Quoted strings stay whole and keep their quotes;
// braces, commas and colons are tokens of their own if spaces surround them.
func tokens(line string) ([]string, error) {
	var out []string
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimLeft(rest, " \t") {
		if rest[0] == '"' {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return nil, fmt.Errorf("a quote is not closed")
			}
			out, rest = append(out, rest[:end+2]), rest[end+2:]
			continue
		}
		end := strings.IndexAny(rest, " \t")
		if end < 0 {
			end = len(rest)
		}
		out, rest = append(out, rest[:end]), rest[end:]
	}
	return out, nil
}

// stream reads tokens in order.
type stream struct {
	list []string
	at   int
}

func (s *stream) done() bool { return s.at >= len(s.list) }

func (s *stream) peek() string { return s.peekAt(0) }

func (s *stream) peekAt(n int) string {
	if s.at+n >= len(s.list) {
		return ""
	}
	return s.list[s.at+n]
}

func (s *stream) next() string {
	t := s.peek()
	s.at++
	return t
}

// accept skips the words if they come next.
func (s *stream) accept(words ...string) bool {
	for i, w := range words {
		if s.peekAt(i) != w {
			return false
		}
	}
	s.at += len(words)
	return true
}

func (s *stream) expect(words ...string) error {
	if !s.accept(words...) {
		return fmt.Errorf("want %q, got %q", strings.Join(words, " "), s.peek())
	}
	return nil
}
