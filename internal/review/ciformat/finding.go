package ciformat

import (
	"path"
	"path/filepath"
	"strings"
)

// Level is the severity of a finding.
type Level int

// The levels, in ascending order. A note fails no check.
const (
	Note Level = iota
	Warning
	Error
)

// word is SARIF's name of a level (2.1.0, 3.27.10).
func (l Level) word() string { return [...]string{"note", "warning", "error"}[l] }

// Rule is a kind of finding.
type Rule struct {
	// ID is "PLC0711" or "network-opened", Title a short sentence without a full stop,
	// and Help what to do, or "".
	ID, Title, Help string
	Level           Level // the level of its findings, unless a finding has its own
}

// Finding is one message about a place.
type Finding struct {
	// Rule is the ID of its rule; Title is its name in a list of findings.
	Rule, Title string
	Level       Level // the level of this finding
	// Message is one line.
	Message string
	// Text is the whole message, in several lines; "" means Message.
	Text string
	// File is as on the command line, or "" without a file; Line counts from 1, and 0 is
	// unknown.
	File string
	Line int // the line in File
	// Object is "Service shop/web", or "", and Field the path in it, or "".
	Object, Field string
	// Help says what to do, or is "".
	Help string
	// Identity does not change when lines move: the same finding in two versions of a
	// repository has the same one. "" means Message.
	Identity string
}

func (f *Finding) text() string {
	if f.Text == "" {
		return f.Message
	}
	return f.Text
}

// Report is the result of a run.
type Report struct {
	// Name is the name of the run, such as "planec lint".
	Name  string
	Rules []Rule // the rules of the findings, and others that were checked
	// Findings are in the order in which they are written.
	Findings []Finding
	Places   Places // how file names are written: relative to what
}

// Places converts file names to paths in the repository.
type Places struct {
	// Working is the absolute directory of relative names.
	Working string
	// Roots are the inputs, with nested ones first. Names of files outside of Working
	// are relative to them.
	Roots []string
	// Whole is the name for findings without a file.
	Whole string
}

// of returns a file's path in the repository, with slashes. It is never empty.
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
