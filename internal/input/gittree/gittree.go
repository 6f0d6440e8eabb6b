//go:build !js

package gittree

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Limits of a copy.
const (
	maxFiles = 100_000
	maxBytes = 1 << 30
)

// ErrPartial says that a clone lacks a file's content. It is not fetched, because
// planec compares offline.
var ErrPartial = errors.New("this clone is partial and lacks the content of the file: git archive REVISION PATH > /dev/null fetches it")

var errTooMany = errors.New("too many files")

// Place returns the path of a source, relative to the top of the repository.
func Place(ctx context.Context, s Source) (string, error) { return rootPath(ctx, s.Path) }

// PlaceOf returns the path of a file or directory of the working tree, relative to
// the top of this process's repository. The file need not exist.
func PlaceOf(ctx context.Context, file string) (string, error) {
	if !filepath.IsAbs(file) {
		return rootPath(ctx, "./"+filepath.ToSlash(file))
	}
	top, err := git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return "", fmt.Errorf("asking git where the repository is: %w", err)
	}
	rel, err := filepath.Rel(strings.TrimSuffix(string(top), "\n"), file)
	if err != nil {
		return "", err
	}
	return path.Clean("/" + filepath.ToSlash(rel))[1:], nil
}

// entry is one file of a tree.
type entry struct{ object, name string }

// Copy writes the files whose names wanted accepts below dir, under their names in the
// repository, and returns the path of the source there: a file or a directory. dir
// must be empty. Links to files of the revision are replaced by the files; other links
// and submodules are omitted.
func Copy(ctx context.Context, s Source, dir string, wanted func(name string) bool) (string, error) {
	hash, err := git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", s.Revision+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("git has no commit %q (a shallow clone has few: git fetch): %w", s.Revision, err)
	}
	root, err := rootPath(ctx, s.Path)
	if err != nil {
		return "", err
	}
	commit := strings.TrimSpace(string(hash))
	list, links, err := entries(ctx, commit, root, maxFiles)
	if err != nil {
		return "", err
	}
	more, err := linked(ctx, commit, root, links, len(list) > 0)
	if err != nil {
		return "", err
	}
	list = append(list, more...)
	if len(list) == 0 {
		return root, noFiles(ctx, s, commit, root)
	}
	var kept []entry
	for _, e := range list {
		if e.name == root || wanted(e.name) {
			kept = append(kept, e)
		}
	}
	if list[0].name != root {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(root)), 0o700); err != nil {
			return "", fmt.Errorf("copying from git: %w", err)
		}
	}
	return root, write(ctx, kept, dir)
}

// NoFiles is an [ErrNoFiles] about a source. In a directory below the top of the repository it
// says where the path was looked for, and which path has files.
func NoFiles(ctx context.Context, s Source) error {
	root, err := rootPath(ctx, s.Path)
	if err != nil {
		return err
	}
	return noFiles(ctx, s, s.Revision, root)
}

func noFiles(ctx context.Context, s Source, commit, root string) error {
	err := fmt.Errorf("%s has %w at %q", s.Revision, ErrNoFiles, root)
	here, failed := rootPath(ctx, "./"+s.Path)
	if relative(s.Path) || failed != nil || here == root {
		return err
	}
	err = fmt.Errorf("%w, looked for from the top of the repository", err)
	files, links, failed := entries(ctx, commit, here, maxFiles)
	if failed == nil && len(files)+len(links) > 0 {
		return fmt.Errorf("%w: did you mean git:%s:%s or git:%[2]s:./%[4]s?", err, s.Revision, here, s.Path)
	}
	return err
}

// relative reports whether a path begins at the current directory.
func relative(p string) bool {
	return p == "." || strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../")
}

// rootPath returns a path relative to the top of the repository.
func rootPath(ctx context.Context, p string) (string, error) {
	if relative(p) {
		prefix, err := git(ctx, "rev-parse", "--show-prefix")
		if err != nil {
			return "", fmt.Errorf("asking git where this directory is: %w", err)
		}
		p = path.Join(strings.TrimSuffix(string(prefix), "\n"), p)
	}
	p = path.Clean("/" + p)[1:]
	return p, nil
}

// entries lists the regular files and links of a commit at a path.
func entries(ctx context.Context, hash, root string, most int) (files, links []entry, err error) {
	args := []string{"ls-tree", "-r", "-z", "--full-tree", hash, "--"}
	if root != "" {
		args = append(args, root)
	}
	out, err := git(ctx, args...)
	if err != nil {
		return nil, nil, fmt.Errorf("listing files with git: %w", err)
	}
	for line := range bytes.SplitSeq(out, []byte{0}) {
		// The format is "100644 blob <object>\t<name>".
		meta, name, ok := strings.Cut(string(line), "\t")
		fields := strings.Fields(meta)
		if !ok || len(fields) != 3 || fields[1] != "blob" {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\x00\\") {
			continue // such a name could lead out of the directory
		}
		switch {
		case fields[0] == "120000":
			links = append(links, entry{fields[2], name})
		case strings.HasPrefix(fields[0], "100"):
			files = append(files, entry{fields[2], name})
		}
		if len(files)+len(links) > most {
			return nil, nil, fmt.Errorf("%w: more than %d in git at %q", errTooMany, most, root)
		}
	}
	return files, links, nil
}

// write reads all files with one git process.
func write(ctx context.Context, list []entry, dir string) error {
	cmd := command(ctx, "cat-file", "--batch")
	var ask bytes.Buffer
	for _, e := range list {
		ask.WriteString(e.object + "\n")
	}
	cmd.Stdin = &ask
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("reading files with git: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("reading files with git: %w", err)
	}
	r, total := bufio.NewReader(out), int64(0)
	for _, e := range list {
		if err = writeOne(r, e, dir, &total); err != nil {
			break
		}
	}
	if err != nil {
		cmd.Process.Kill() // it may be waiting for a reader
		cmd.Wait()         // the error is known already
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("reading files with git: %w: %s", err, stderr.String())
	}
	return nil
}

func writeOne(r *bufio.Reader, e entry, dir string, total *int64) error {
	header, err := r.ReadString('\n')
	if err != nil {
		return fmt.Errorf("reading %s with git: %w", e.name, err)
	}
	fields := strings.Fields(header) // "<object> blob <size>"
	if len(fields) == 2 && fields[1] == "missing" {
		return fmt.Errorf("%s: %w", e.name, ErrPartial)
	}
	if len(fields) != 3 {
		return fmt.Errorf("reading %s with git: %q", e.name, strings.TrimSpace(header))
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if *total += size; err != nil || size < 0 || *total > maxBytes {
		return fmt.Errorf("reading %s with git: the files are larger than %d bytes", e.name, maxBytes)
	}
	at := filepath.Join(dir, filepath.FromSlash(e.name))
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return fmt.Errorf("copying from git: %w", err)
	}
	f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("copying from git: %w", err)
	}
	_, err = io.CopyN(f, r, size)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("copying %s from git: %w", e.name, err)
	}
	_, err = r.Discard(1) // the newline after the content
	return err
}

func git(ctx context.Context, args ...string) ([]byte, error) {
	out, err := command(ctx, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return out, err
}

// command returns a git command that cannot fetch, prompt or guess.
func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(os.Environ(), "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0", "GIT_LITERAL_PATHSPECS=1", "LC_ALL=C")
	return cmd
}
