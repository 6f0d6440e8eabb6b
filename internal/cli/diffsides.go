package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/planec/planec/internal/input/gittree"
	"github.com/planec/planec/ir/diag"
)

// sides loads OLD and NEW in the same way: if one is a Git revision, which includes
// nested directories, the other one includes them too. A path that one side lacks is
// new or was deleted.
func (d *diffCommand) sides(ctx context.Context, args []string) (sides [2]*diffSide, err error) {
	for _, arg := range args {
		if _, isGit, _ := gittree.Parse(arg); isGit {
			d.input.recursive = true
		}
	}
	var missing [2]error
	given := d.input.clusters
	for i, arg := range args {
		if d.input.clusters, err = clustersOf(given, i); err != nil {
			return sides, inputError(err)
		}
		if sides[i], err = d.side(ctx, arg); isMissing(err) {
			missing[i], err = err, nil
		}
		if err != nil {
			closeAll(sides)
			return sides, err
		}
		if i == 0 && sides[i] != nil && sides[i].loaded != nil {
			// The cluster has the addresses of OLD when NEW comes.
			d.input.balancing.Held = sides[i].loaded.addresses.Held()
		}
	}
	for i, arg := range args {
		if missing[i] == nil {
			continue
		}
		if missing[1-i] != nil || !samePlace(ctx, args) {
			closeAll(sides)
			return sides, missing[i]
		}
		if d.input.clusters, err = clustersOf(given, i); err != nil {
			return sides, inputError(err)
		}
		if sides[i], err = d.absent(arg); err != nil {
			closeAll(sides)
			return sides, err
		}
	}
	return sides, nil
}

func closeAll(sides [2]*diffSide) {
	for _, s := range sides {
		if s != nil {
			s.close()
		}
	}
}

// isMissing reports whether the cause of an error is a missing path.
func isMissing(err error) bool {
	return errors.Is(err, gittree.ErrNoFiles) || errors.Is(err, fs.ErrNotExist)
}

// samePlace reports whether two arguments name the same path of a repository, at least
// one of them in a revision. For other arguments a missing path is a mistake.
func samePlace(ctx context.Context, args []string) bool {
	var places []string
	revisions := 0
	for _, arg := range args {
		source, isGit, err := gittree.Parse(arg)
		if err != nil {
			return false
		}
		place := gittree.PlaceOf
		if isGit {
			revisions++
			arg, place = source.Path, func(ctx context.Context, path string) (string, error) {
				return gittree.Place(ctx, gittree.Source{Path: path})
			}
		}
		at, err := place(ctx, arg)
		if err != nil {
			return false
		}
		places = append(places, at)
	}
	return revisions > 0 && places[0] == places[1]
}

// absent returns a state without the path: a directory without files.
func (d *diffCommand) absent(arg string) (*diffSide, error) {
	dir, err := os.MkdirTemp("", "planec-absent-")
	if err != nil {
		return nil, systemError(err)
	}
	s := &diffSide{name: arg, copied: dir, absent: true}
	if err := d.load(s, filepath.Clean(dir)); err != nil {
		return nil, err
	}
	s.loaded.read = slices.DeleteFunc(s.loaded.read, func(x diag.Diagnostic) bool { return x.Code == diag.EmptyInput })
	return s, nil
}

// absences returns the notes about states without the path.
func absences(before, after *diffSide) (notes []string) {
	if before.absent {
		notes = append(notes, "OLD does not have this path: all of NEW is new")
	}
	if after.absent {
		notes = append(notes, "NEW does not have this path: all of OLD is gone")
	}
	return notes
}
