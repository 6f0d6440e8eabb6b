package quoted

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Reader reads the words of a line in order. It keeps its first error, so that a
// caller can read the whole line before it checks for errors.
type Reader struct {
	words []string
	err   error
}

// NewReader returns a Reader for the words.
func NewReader(words []string) *Reader { return &Reader{words: words} }

// Lines yields what parse makes of each line of a text, without surrounding blanks. It
// skips empty lines and comments, and ends with the first error, which it gives the
// number of its line.
func Lines[T any](text []byte, parse func(line string) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
				continue
			}
			c, err := parse(line)
			if err != nil {
				err = fmt.Errorf("line %d: %.100q: %w", number, line, err)
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// Done reports whether there are no more words, or an error.
func (r *Reader) Done() bool { return len(r.words) == 0 || r.err != nil }

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Next returns the next word; a missing word is an error.
func (r *Reader) Next() string {
	if len(r.words) == 0 {
		r.Fail("the line ends too early")
		return ""
	}
	word := r.words[0]
	r.words = r.words[1:]
	return word
}

// Take returns the next n words.
func (r *Reader) Take(n int) []string {
	if len(r.words) < n {
		r.Fail("the line ends too early")
		return make([]string, n)
	}
	words := r.words[:n:n]
	r.words = r.words[n:]
	return words
}

// Skip skips the next word if it equals word, and reports whether it did.
func (r *Reader) Skip(word string) bool {
	if len(r.words) == 0 || r.words[0] != word {
		return false
	}
	r.words = r.words[1:]
	return true
}

// Want skips the given words; other words are an error.
func (r *Reader) Want(words ...string) {
	if got := r.Take(len(words)); !slices.Equal(got, words) {
		r.Fail("%q where %q is wanted", got, words)
	}
}

// Uint reads an unsigned number of at most the given bits, decimal or with 0x.
func (r *Reader) Uint(bits int) uint64 {
	n, err := strconv.ParseUint(r.Next(), 0, bits)
	if err != nil {
		r.Fail("%w", err)
	}
	return n
}

// Fail sets the error, unless one is already set.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// End reports an error if words are left, and returns the first error.
func (r *Reader) End() error {
	if len(r.words) > 0 {
		r.Fail("%q is not known here", r.words[0])
	}
	return r.err
}
