package ipvs

import (
	"errors"
	"fmt"
	"strings"
)

// maxLine bounds a line.
const maxLine = 4096

// eachLine calls f with the words of every line that is neither empty nor a
// comment. Words are parted by single spaces; one in double quotes may have
// spaces and loses the quotes.
func eachLine(text []byte, f func(words []string) error) error {
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		words, err := split(line)
		if err == nil {
			err = f(words)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	return nil
}

var errQuote = errors.New("a quote that is not closed, or text after one")

func split(line string) ([]string, error) {
	if len(line) > maxLine {
		return nil, fmt.Errorf("longer than %d bytes", maxLine)
	}
	words := make([]string, 0, 8)
	for line != "" {
		if line[0] == '"' {
			word, rest, closed := strings.Cut(line[1:], `"`)
			if !closed || (rest != "" && rest[0] != ' ') {
				return nil, errQuote
			}
			words, line = append(words, word), strings.TrimPrefix(rest, " ")
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word == "" {
			return nil, errors.New("two spaces, or one at the start")
		}
		words, line = append(words, word), rest
	}
	return words, nil
}

// reader takes words one after the other; its first error stays.
type reader struct {
	words []string
	err   error
}

func (r *reader) done() bool { return len(r.words) == 0 || r.err != nil }

func (r *reader) next() string {
	if len(r.words) == 0 {
		r.fail("the line ends too early")
		return ""
	}
	word := r.words[0]
	r.words = r.words[1:]
	return word
}

// skip takes a word if it is the next one.
func (r *reader) skip(word string) bool {
	if len(r.words) == 0 || r.words[0] != word {
		return false
	}
	r.words = r.words[1:]
	return true
}

// want takes a word that must be the next one.
func (r *reader) want(words ...string) {
	for _, word := range words {
		if !r.skip(word) {
			r.fail("want %q", word)
			return
		}
	}
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// end wants no more words.
func (r *reader) end() error {
	if r.err == nil && len(r.words) > 0 {
		r.fail("%q is not known here", r.words[0])
	}
	return r.err
}
