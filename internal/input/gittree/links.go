//go:build !js

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

// Readers of a working tree follow links, so a revision is read in the same way, as far
// as links lead to its own files.

// maxLinks bounds the links that are followed for one name, like a kernel's
// limit, and maxLinkText the length of one.
const (
	maxLinks    = 40
	maxLinkText = 4096
)

// tree holds the files and links of a commit, by name.
type tree struct {
	commit string
	files  map[string]string // maps names to objects
	links  map[string]string
	said   map[string]string // the targets of links, by object
}

// maxTree is the largest number of files in a commit whose links are followed.
const maxTree = 1_000_000

// readTree lists a whole commit; if it has too many files, links are ignored.
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

// follow resolves all links in a name; ok is false if it leads out of the repository, or
// in a circle.
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
		real = "" // the name that others use for the top
	}
	return real, true
}

// read returns the target of a link.
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

// linked lists the files behind links at or below root, under the names of the
// links. If root itself is, or is below, a link to a directory, it lists the files
// below it.
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
