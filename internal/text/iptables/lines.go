// Package iptables reads the text of iptables-save and iptables-restore, in two
// steps. [Lines] knows tables, chains and which chain a rule is of, and takes
// whatever rules there are: it is for those of all programs. [ParseRule] knows
// a closed list of matches and targets, those that planec writes; another one is
// an error that names the option.
//
// Rules that planec did not write are asked for single options, by [Value] and
// [Leads].
package iptables

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/planec/planec/internal/text/quoted"
)

// Line is a line within a table. A line of a chain has a policy and no verb, a
// line of a rule has a verb and no policy; the line that opens a table has
// neither.
type Line struct {
	// Number counts the lines of the text from 1.
	Number int
	Table  string
	// Chain is declared, or the rule's.
	Chain string
	// Policy is "-" for a chain that is not the kernel's own.
	Policy string
	// Verb is what is done with the rule: -A, -I, -D.
	Verb string
	// Spec is the rule without verb and chain.
	Spec string
	// Text is the whole line, without blanks at its end.
	Text string
}

// Words are those of the rule without verb and chain.
func (l *Line) Words() ([]string, error) { return quoted.Split(l.Spec, quoted.Escaped) }

var (
	errOutside = errors.New("stands in no table")
	errVerb    = errors.New("no line of iptables-save")
)

// Lines yields the lines of a text. After a line that is none, or stands in no
// table, it goes on, so that a caller may leave such a line out; its last error
// may be that a table has no COMMIT. Lines refer to a copy of the text.
func Lines(text []byte) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		l := Line{}
		for line := range strings.Lines(string(text)) {
			l = Line{Number: l.Number + 1, Table: l.Table, Text: strings.TrimRight(line, " \r\n")}
			err := l.read()
			if err != nil {
				err = fmt.Errorf("line %d: %.100q: %w", l.Number, l.Text, err)
			}
			if (err != nil || l.Policy != "" || l.Verb != "" || strings.HasPrefix(l.Text, "*")) && !yield(l, err) {
				return
			}
		}
		if l.Table != "" {
			yield(l, fmt.Errorf("table %s has no COMMIT", l.Table))
		}
	}
}

// read takes the line apart.
func (l *Line) read() error {
	switch text := l.Text; {
	case text == "" || text[0] == '#':
	case text[0] == '*':
		if l.Table != "" || len(text) == 1 || strings.Contains(text, " ") {
			return errVerb
		}
		l.Table = text[1:]
	case l.Table == "":
		return errOutside
	case text == "COMMIT":
		l.Table = ""
	case text[0] == ':':
		name, rest, _ := strings.Cut(text[1:], " ")
		policy, _, _ := strings.Cut(rest, " ")
		if name == "" || policy == "" {
			return errVerb
		}
		l.Chain, l.Policy = name, policy
	default:
		verb, rest, _ := strings.Cut(text, " ")
		if verb != "-A" && verb != "-I" && verb != "-D" {
			return errVerb
		}
		l.Verb = verb
		l.Chain, l.Spec, _ = strings.Cut(rest, " ")
	}
	return nil
}

// followed yields each word of any rule with the one after it, but for what follows
// options of matches whose value may be any text, also one that looks like an option.
func followed(words []string, yield func(word, next string, negated bool) bool) {
	for i := 0; i+1 < len(words); i++ {
		if !yield(words[i], words[i+1], i > 0 && words[i-1] == "!") {
			return
		}
		switch words[i] {
		case "--comment", "--string", "--hex-string":
			i++
		}
	}
}

// Value returns the word after an option of any rule, where it has the option and
// does not negate it.
func Value(words []string, option string) (value string, has bool) {
	followed(words, func(word, next string, negated bool) bool {
		if word == option && !negated {
			value, has = next, true
		}
		return !has
	})
	return value, has
}

// Sets are the sets that any rule looks into or fills.
func Sets(words []string) (out []string) {
	followed(words, func(word, next string, _ bool) bool {
		switch word {
		case "--match-set", "--add-set", "--del-set", "--map-set":
			out = append(out, next)
		}
		return true
	})
	return out
}

// Leads is the target of any rule: a chain, or what is done with a packet; "" is
// none.
func Leads(words []string) (target string) {
	followed(words, func(word, next string, _ bool) bool {
		if word == "-j" || word == "-g" {
			target = next
		}
		return target == ""
	})
	return target
}
