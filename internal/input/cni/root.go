package cni

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// maxLinks is how many symbolic links one path may have (MAXSYMLINKS of Linux).
const maxLinks = 40

// below returns the path, which has no link left, that an absolute path names for the programs of
// a node whose file system is at root: the target of an absolute link is below root, too, and ".."
// ends there. What does not exist is not followed.
func below(root, path string) (string, error) {
	if root == "/" {
		return path, nil
	}
	at, rest := "/", strings.Split(filepath.ToSlash(path), "/")
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0])
		rest = rest[1:]
		if next == "/" {
			at = next // root itself may be a link: that is of the machine, not of the node below it
			continue
		}
		target, err := os.Readlink(filepath.Join(root, next))
		if err != nil {
			at = next // no link, or the one who opens it says what is wrong
			continue
		}
		if links++; links > maxLinks {
			return "", &os.PathError{Op: "open", Path: filepath.Join(root, path), Err: errors.New("too many symbolic links")}
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(filepath.ToSlash(target), "/"), rest...)
	}
	return filepath.Join(root, at), nil
}
