// Package gittree copies the files of a Git revision to a directory. It reads
// objects by their hash, so it neither touches the user's working tree and
// index nor runs filters, attributes or hooks that a repository configures.
package gittree

import (
	"errors"
	"fmt"
	"strings"
)

// Source is a revision and a path in it, as in git's REV:PATH.
type Source struct{ Revision, Path string }

// Parse parses "git:REV:PATH"; ok is false without the prefix "git:". A PATH
// that begins with "./" is relative to the current directory, any other to the
// top of the repository; an empty one is the whole repository.
func Parse(s string) (src Source, ok bool, err error) {
	rest, ok := strings.CutPrefix(s, "git:")
	if !ok {
		return src, false, nil
	}
	rev, file, found := strings.Cut(rest, ":")
	switch {
	case !found || rev == "":
		return src, true, fmt.Errorf("%s: want git:REV:PATH", s)
	case strings.HasPrefix(rev, "-") || strings.ContainsAny(rev, "\x00\n"):
		return src, true, fmt.Errorf("%s: %q is no revision", s, rev)
	}
	return Source{rev, file}, true, nil
}

// ErrNoFiles says that a revision has nothing at the path.
var ErrNoFiles = errors.New("no files")
