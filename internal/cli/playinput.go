//go:build !js

package cli

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/planec/planec/examples"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/review/play"
)

// maxPlayed bounds the text of all files in a playground, in bytes: the page holds
// each of them several times.
const maxPlayed = 16 << 20

// useExample makes the built-in example the input: it is copied to a directory that done
// removes, and file names omit that.
func (c *playCommand) useExample() (done func(), err error) {
	dir, err := os.MkdirTemp("", "planec-play-")
	if err != nil {
		return nil, err
	}
	done = func() { os.RemoveAll(dir) } // it is in the system's directory for temporary files
	if err := os.CopyFS(dir, examples.Shop()); err != nil {
		done()
		return nil, err
	}
	c.page.input.paths, c.page.input.base = []string{dir}, dir
	if !c.flags.Changed("config") {
		err = c.flags.Set("config", filepath.Join(dir, "settings", "node.yaml"))
	}
	return done, err
}

// texts reads the files of the page, and the settings. What is on standard input can be
// read once only, so the command's own reader gets a copy.
func (c *playCommand) texts() (files []play.File, settings play.File, err error) {
	in := &c.page.input
	found, err := manifest.FilesOf(manifest.Options{Paths: in.paths, Recursive: in.recursive, Exclude: in.exclude})
	if err != nil {
		return nil, settings, inputError(err)
	}
	left := int64(maxPlayed)
	take := func(r io.Reader) (string, error) {
		text, err := io.ReadAll(io.LimitReader(r, left+1))
		if left -= int64(len(text)); err == nil && left < 0 {
			err = fmt.Errorf("more than %d MB of manifests are too many to edit in a page", maxPlayed>>20)
		}
		return string(text), err
	}
	for _, at := range found {
		text, name, err := "", c.nameInPage(at), error(nil)
		if at == "-" {
			name = stdinName
			text, err = take(c.streams.In)
			c.stdin, c.streams.In = []byte(text), strings.NewReader(text)
		} else {
			text, err = c.readFile(at, take)
		}
		if err != nil {
			return nil, settings, inputError(fmt.Errorf("%s: %w", name, err))
		}
		files = append(files, play.File{Name: name, Text: text})
	}
	if at := c.flags.Lookup("config").Value.String(); at != "" {
		settings.Name = c.nameInPage(at)
		if settings.Text, err = c.readFile(at, take); err != nil {
			return nil, settings, inputError(err)
		}
	}
	return files, settings, nil
}

// nameInPage is the name by which findings name a file.
func (c *playCommand) nameInPage(at string) string {
	if rel, err := filepath.Rel(c.page.input.base, at); c.page.input.base != "" && err == nil {
		at = rel
	}
	return filepath.ToSlash(at)
}

// readFile reads a regular file.
func (c *playCommand) readFile(at string, take func(io.Reader) (string, error)) (string, error) {
	f, err := os.OpenFile(at, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return "", err
	}
	defer f.Close() // only read
	if info, err := f.Stat(); err != nil || info.Mode()&(fs.ModeDevice|fs.ModeSocket|fs.ModeDir) != 0 {
		return "", fmt.Errorf("%s is no file: %w", at, fs.ErrInvalid)
	}
	return take(f)
}

// flagsOfThePage are the given flags that change what manifests mean.
func (c *playCommand) flagsOfThePage() (list []string) {
	other := []string{
		"filename", "recursive", "exclude", "config", "node", "example", "listen", "allow-remote", "write", "wasm",
		"color", "quiet", "strict", "fail-on-warn",
	}
	c.flags.Visit(func(f *pflag.Flag) {
		if slices.Contains(other, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if many, ok := f.Value.(pflag.SliceValue); ok {
			values = many.GetSlice()
		}
		for _, v := range values {
			list = append(list, "--"+f.Name+"="+v)
		}
	})
	return list
}
