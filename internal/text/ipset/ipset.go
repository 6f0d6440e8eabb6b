// Package ipset parses the text of ipset save and ipset restore in two steps.
// [Commands] determines the set of each command and accepts all sets.
// [Command.Create] and [Command.Add] parse the rest, with the options of ipset 7.
// An unknown option is an error that names it.
package ipset

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/planec/planec/internal/text/quoted"
)

// Command is one line.
type Command struct {
	// Number is the line number, from 1.
	Number int
	// Verb is create, add, flush, swap or destroy.
	Verb string
	Set  string // the name of the set
	// Rest follows the set's name; for swap, it is the name of the other set.
	Rest string
}

var errVerb = errors.New("no command for ipset that planec knows")

// Commands yields the commands of a text. They refer to a copy of the text.
func Commands(text []byte) iter.Seq2[Command, error] {
	return func(yield func(Command, error) bool) {
		c := Command{}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			c.Number++
			if line == "" || line[0] == '#' {
				continue
			}
			var rest string
			c.Verb, rest, _ = strings.Cut(line, " ")
			c.Set, c.Rest, _ = strings.Cut(rest, " ")
			var err error
			if !c.known() {
				err = c.Errorf("%.100q: %w", line, errVerb)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

func (c *Command) known() bool {
	switch c.Verb {
	case "create", "add":
		return c.Set != "" && c.Rest != ""
	case "flush", "destroy":
		return c.Set != "" && c.Rest == ""
	case "swap":
		return c.Set != "" && c.Rest != "" && !strings.Contains(c.Rest, " ")
	}
	return false
}

// Errorf returns an error about the command, with its line number.
func (c *Command) Errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %w", c.Number, fmt.Errorf(format, args...))
}

// Option is an option of a set or of an element; Value is "" if the option has none.
type Option struct{ Name, Value string }

// String returns the option in the format of ipset save.
func (o Option) String() string {
	switch {
	case o.Name == "comment" && o.Value != "":
		return `comment "` + o.Value + `"`
	case o.Value == "":
		return o.Name
	}
	return o.Name + " " + o.Value
}

// Created is the type and the options of a new set.
type Created struct {
	// Type names the parts of elements: "hash:ip,port".
	Type    string
	Options []Option // in the order of the text
}

// createOptions maps the options of sets to whether they have a value.
var createOptions = map[string]bool{
	"family": true, "range": true, "hashsize": true, "maxelem": true, "bucketsize": true, "initval": true, "timeout": true,
	"netmask": true, "bitmask": true, "markmask": true, "size": true, "probes": true, "resize": true,
	"comment": false, "counters": false, "skbinfo": false, "forceadd": false, "-exist": false,
}

// addOptions maps the options of elements to whether they have a value.
var addOptions = map[string]bool{
	"timeout": true, "packets": true, "bytes": true, "comment": true, "skbmark": true, "skbprio": true, "skbqueue": true,
	"nomatch": false, "wildcard": false, "-exist": false,
}

// Create parses the rest of a command that creates a set.
func (c *Command) Create() (Created, error) {
	typ, options, err := c.options(createOptions)
	return Created{Type: typ, Options: options}, err
}

// Value returns the value of an option, and whether the set has it.
func (c *Created) Value(option string) (string, bool) { return value(c.Options, option) }

// Kind returns the type with the options that must be equal for a swap, in a fixed
// order. It omits options that the kernel changes or only reports.
func (c *Created) Kind() string {
	var words []string
	for _, o := range c.Options {
		switch o.Name {
		case "hashsize", "bucketsize", "initval", "-exist":
		default:
			words = append(words, o.String())
		}
	}
	slices.Sort(words)
	return strings.Join(append([]string{c.Type}, words...), " ")
}

// Entry is an element with its options.
type Entry struct {
	// Element has its parts separated by commas: "10.0.0.1,tcp:80".
	Element string
	Options []Option // in the order of the text
}

// Add parses the rest of a command that adds an element.
func (c *Command) Add() (Entry, error) {
	if !strings.Contains(c.Rest, " ") {
		return Entry{Element: c.Rest}, nil
	}
	element, options, err := c.options(addOptions)
	return Entry{Element: element, Options: options}, err
}

// ParseEntry parses an element with its options in the format of [Entry.String].
func ParseEntry(member string) (Entry, error) {
	c := Command{Rest: member}
	return c.Add()
}

// Named splits an element with its options, in the format of [Entry.String], into
// the element and its comment.
func Named(member string) (element, comment string) {
	element, options, _ := strings.Cut(member, " ")
	if strings.Contains(options, "comment ") {
		if e, err := ParseEntry(member); err == nil {
			comment, _ = e.Value("comment")
		}
	}
	return element, comment
}

// Value returns the value of an option, and whether the element has it.
func (e *Entry) Value(option string) (string, bool) { return value(e.Options, option) }

// String returns the element in the format of ipset save, without runtime values
// (timeout, packets, bytes) and without the length of a host.
func (e *Entry) String() string {
	out := canonical(e.Element)
	for _, o := range e.Options {
		switch o.Name {
		case "timeout", "packets", "bytes", "-exist":
		default:
			out += " " + o.String()
		}
	}
	return out
}

// canonical removes the length of a host, as ipset does.
func canonical(element string) string {
	if !strings.Contains(element, "/") {
		return element
	}
	parts := strings.Split(element, ",")
	for i, p := range parts {
		host := "/32"
		if strings.Contains(p, ":") {
			host = "/128"
		}
		parts[i] = strings.TrimSuffix(p, host)
	}
	return strings.Join(parts, ",")
}

// options parses a word and the options after it.
func (c *Command) options(known map[string]bool) (first string, out []Option, err error) {
	words, err := quoted.Split(c.Rest, quoted.Plain)
	if err != nil {
		return "", nil, c.Errorf("%w", err)
	}
	r := quoted.NewReader(words)
	first = r.Next()
	out = make([]Option, 0, len(words)/2)
	for !r.Done() {
		o := Option{Name: r.Next()}
		hasValue, is := known[o.Name]
		if !is {
			r.Fail("option %q is not known", o.Name)
		}
		if hasValue {
			o.Value = r.Next()
		}
		out = append(out, o)
	}
	if r.Err() != nil {
		return "", nil, c.Errorf("%s of set %s: %w", c.Verb, c.Set, r.Err())
	}
	return first, out, nil
}

func value(options []Option, name string) (string, bool) {
	for _, o := range options {
		if o.Name == name {
			return o.Value, true
		}
	}
	return "", false
}
