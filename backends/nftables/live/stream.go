package live

import (
	"fmt"
	"slices"
	"strings"
)

// stream reads the words of a line one after the other.
type stream struct {
	list []string
	at   int
}

// newStream splits at spaces, but keeps what is in quotes whole, quotes included.
func newStream(text string) (*stream, error) {
	s := &stream{}
	for rest := text; rest != ""; rest = strings.TrimPrefix(rest, " ") {
		end := strings.IndexByte(rest, ' ')
		if rest[0] == '"' {
			if end = strings.IndexByte(rest[1:], '"') + 2; end == 1 {
				return nil, fmt.Errorf("a quote is not closed")
			}
			if end < len(rest) && rest[end] != ' ' {
				return nil, fmt.Errorf("something after a quote")
			}
		}
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return nil, fmt.Errorf("two spaces")
		}
		s.list = append(s.list, rest[:end])
		rest = rest[end:]
	}
	return s, nil
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
	w := s.peek()
	s.at++
	return w
}

// accept takes the words if they come next.
func (s *stream) accept(words ...string) bool {
	if s.at+len(words) > len(s.list) || !slices.Equal(s.list[s.at:s.at+len(words)], words) {
		return false
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
