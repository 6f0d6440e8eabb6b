package gittree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// Who reads a working tree follows links to files, and one that is named, so a revision
// is read in the same way: as far as they lead to files of it.

// maxLinks bounds how many links are followed for one name, as a kernel does, and
// maxLinkText what one of them says.
const (
	maxLinks    = 40
	maxLinkText = 4096
)

// tree is the files and links of a commit, by name.
type tree struct {
	commit string
	files  map[string]string // name to object
	links  map[string]string
	said   map[string]string // what links say, by object
}

// maxTree bounds how many files a commit may have for its links to be followed.
const maxTree = 1_000_000

// readTree lists a whole commit; one with too many files has no links.
func readTree(ctx context.Context, commit string) (*tree, error) {
	t := &tree{commit: commit, files: make(map[string]string), links: make(map[string]string), said: make(map[string]string)}
	files, links, err := entries(ctx, commit, "", maxTree)
	if errors.Is(err, errTooMany) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range files {
		t.files[e.name] = e.object
	}
	for _, e := range links {
		t.links[e.name] = e.object
	}
	return t, nil
}

// follow returns the name without links that a name leads to; ok is false where it leads
// out of the repository, or in circles.
func (t *tree) follow(ctx context.Context, name string) (real string, ok bool) {
	rest := strings.Split(name, "/")
	followed := 0
	for len(rest) > 0 {
		real, rest = path.Join(real, rest[0]), rest[1:]
		if real == ".." || strings.HasPrefix(real, "../") {
			return "", false
		}
		object, isLink := t.links[real]
		if !isLink {
			continue
		}
		said, err := t.read(ctx, object)
		if followed++; err != nil || followed > maxLinks || said == "" || path.IsAbs(said) {
			return "", false
		}
		real, rest = path.Dir(real), append(strings.Split(said, "/"), rest...)
	}
	if real == "." {
		real = "" // as others name the top
	}
	return real, true
}

// read returns what a link says.
func (t *tree) read(ctx context.Context, object string) (string, error) {
	said, known := t.said[object]
	if known {
		return said, nil
	}
	text, err := git(ctx, "cat-file", "blob", object)
	if err != nil {
		return "", fmt.Errorf("reading a link with git: %w", err)
	}
	if len(text) > maxLinkText || bytes.ContainsAny(text, "\x00\\") {
		text = nil
	}
	t.said[object] = string(text)
	return t.said[object], nil
}

// linked lists the files that links at or below root lead to, under the names of the
// links, and the files below root where that is itself, or is below, a link to a
// directory.
func linked(ctx context.Context, commit, root string, links []entry, found bool) ([]entry, error) {
	if found && len(links) == 0 {
		return nil, nil
	}
	t, err := readTree(ctx, commit)
	if err != nil || len(t.links) == 0 {
		return nil, err
	}
	var list []entry
	if real, ok := t.follow(ctx, root); ok && real != root {
		below, inner, err := entries(ctx, commit, real, maxFiles)
		if err != nil {
			return nil, err
		}
		for _, e := range below {
			list = append(list, entry{e.object, path.Join(root, strings.TrimPrefix(e.name, real))})
		}
		for _, e := range inner {
			links = append(links, entry{e.object, path.Join(root, strings.TrimPrefix(e.name, real))})
		}
	}
	for _, e := range links {
		if real, ok := t.follow(ctx, e.name); ok && t.files[real] != "" && e.name != root && filepath.IsLocal(filepath.FromSlash(e.name)) {
			list = append(list, entry{t.files[real], e.name})
		}
	}
	return list, nil
}
