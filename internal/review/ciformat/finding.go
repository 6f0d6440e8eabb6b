package ciformat

import (
	"path"
	"path/filepath"
	"strings"
)

// Level is how much a finding weighs.
type Level int

// The levels, by weight. A note fails no check.
const (
	Note Level = iota
	Warning
	Error
)

// word is what SARIF calls a level (2.1.0, 3.27.10).
func (l Level) word() string { return [...]string{"note", "warning", "error"}[l] }

// Rule is a kind of finding.
type Rule struct {
	// ID is "PLC0711" or "network-opened", Title a short sentence without a full stop,
	// and Help what to do; "" is nothing.
	ID, Title, Help string
	Level           Level // how bad its findings are, unless one says otherwise
}

// Finding is one thing to say about a place.
type Finding struct {
	// Rule is the ID of its rule; Title is how a list of findings calls it.
	Rule, Title string
	Level       Level // how bad this finding is
	// Message is one line.
	Message string
	// Text is all that there is to say, in several lines; "" is the message.
	Text string
	// File is as the command line gave it, or "" where no file says it; Line counts from
	// 1, and 0 is not known.
	File string
	Line int
	// Object is "Service shop/web", or "", and Field the path in it, or "".
	Object, Field string
	// Help says what to do, or is "".
	Help string
	// Identity is what stays the same when lines move: equal findings of two versions
	// of a repository have the same. "" is the message.
	Identity string
}

func (f *Finding) text() string {
	if f.Text == "" {
		return f.Message
	}
	return f.Text
}

// Report is what a run found.
type Report struct {
	// Name is that of the run, as "planec lint".
	Name  string
	Rules []Rule // those of the findings, and others that were looked for
	// Findings are in the order in which they are written.
	Findings []Finding
	Places   Places // how the names of files are written: relative to what
}

// Places makes files' names paths of the repository that the program runs in.
type Places struct {
	// Working is the directory that relative names start at, absolute.
	Working string
	// Roots are what was given to read, longest first where one is in another: names of
	// files that are not below Working are relative to them.
	Roots []string
	// Whole is the name for what no file says.
	Whole string
}

// of is a file's path in the repository, with slashes. It is never empty.
func (p *Places) of(file string) string {
	if file == "" {
		file = p.Whole
	}
	if !filepath.IsAbs(file) {
		return plain(file)
	}
	for _, root := range append([]string{p.Working}, p.Roots...) {
		if rel, err := filepath.Rel(root, file); root != "" && err == nil && filepath.IsLocal(rel) && rel != "." {
			return plain(rel)
		}
	}
	return plain(filepath.Base(file))
}

func plain(file string) string {
	return path.Clean(strings.ReplaceAll(filepath.ToSlash(file), `\`, "/"))
}
