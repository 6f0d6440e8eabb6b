package gittree

import (
	"context"
	"errors"
)

// errNoGit is what the functions return in WebAssembly: a page has no repository.
var errNoGit = errors.New("a page reads nothing of Git")

// Place fails.
func Place(context.Context, Source) (string, error) { return "", errNoGit }

// PlaceOf fails.
func PlaceOf(context.Context, string) (string, error) { return "", errNoGit }

// NoFiles is the error of all functions.
func NoFiles(context.Context, Source) error { return errNoGit }

// Copy fails.
func Copy(context.Context, Source, string, func(name string) bool) (string, error) {
	return "", errNoGit
}
