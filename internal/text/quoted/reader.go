package quoted

import (
	"fmt"
	"slices"
	"strconv"
)

// Reader takes the words of a line one after the other. Its first error stays,
// so that a line can be read to its end before anything is asked.
type Reader struct {
	words []string
	err   error
}

// NewReader reads words.
func NewReader(words []string) *Reader { return &Reader{words: words} }

// Done reports whether there are no more words, or an error.
func (r *Reader) Done() bool { return len(r.words) == 0 || r.err != nil }

// Err is the first error.
func (r *Reader) Err() error { return r.err }

// Next takes a word; that there is none is an error.
func (r *Reader) Next() string {
	if len(r.words) == 0 {
		r.Fail("the line ends too early")
		return ""
	}
	word := r.words[0]
	r.words = r.words[1:]
	return word
}

// Take takes n words.
func (r *Reader) Take(n int) []string {
	if len(r.words) < n {
		r.Fail("the line ends too early")
		return make([]string, n)
	}
	words := r.words[:n:n]
	r.words = r.words[n:]
	return words
}

// Skip takes a word if it is the next one, and says whether it was.
func (r *Reader) Skip(word string) bool {
	if len(r.words) == 0 || r.words[0] != word {
		return false
	}
	r.words = r.words[1:]
	return true
}

// Want takes words that must be the next ones.
func (r *Reader) Want(words ...string) {
	if got := r.Take(len(words)); !slices.Equal(got, words) {
		r.Fail("%q where %q is wanted", got, words)
	}
}

// Uint takes an unsigned number of so many bits, decimal or with 0x.
func (r *Reader) Uint(bits int) uint64 {
	n, err := strconv.ParseUint(r.Next(), 0, bits)
	if err != nil {
		r.Fail("%w", err)
	}
	return n
}

// Fail notes an error, unless there is one.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// End wants no more words, and returns the first error.
func (r *Reader) End() error {
	if len(r.words) > 0 {
		r.Fail("%q is not known here", r.words[0])
	}
	return r.err
}
