// Package iptables parses the text of iptables-save and iptables-restore in two
// steps. [Lines] recognizes tables, chains, and the chain of each rule, and
// accepts the rules of all programs. [ParseRule] accepts only a closed list of
// matches and targets, those that planec or kube-proxy writes; an unknown one is an error that
// names the option.
//
// [Value] and [Leads] read single options of foreign rules.
package iptables

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/planec/planec/internal/text/quoted"
)

// Line is a line within a table. A chain declaration has a policy and no verb, a
// rule has a verb and no policy, and the line that opens a table has neither.
type Line struct {
	// Number is the line number, from 1.
	Number int
	Table  string // the name of the table
	// Chain is the declared chain, or the chain of the rule.
	Chain string
	// Policy is "-" for a chain that is not built in.
	Policy string
	// Verb is the command for the rule: -A, -I or -D.
	Verb string
	// Spec is the rule without verb and chain.
	Spec string
	// Text is the whole line without trailing blanks.
	Text string
}

// Words returns the words of the rule without verb and chain.
func (l *Line) Words() ([]string, error) { return quoted.Split(l.Spec, quoted.Escaped) }

var (
	errOutside = errors.New("stands in no table")
	errVerb    = errors.New("no line of iptables-save")
)

// Lines yields the lines of a text. It continues after an invalid line and after
// one outside of a table, so that a caller may ignore it; its last error may be a
// missing COMMIT. Lines refer to a copy of the text.
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

// read parses the line.
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

// followed yields each word of a rule together with the next one. It skips the values
// of options that may be arbitrary text, because they may look like options.
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

// Value returns the word after an option of any rule, and whether the rule has
// that option without negation.
func Value(words []string, option string) (value string, has bool) {
	followed(words, func(word, next string, negated bool) bool {
		if word == option && !negated {
			value, has = next, true
		}
		return !has
	})
	return value, has
}

// Sets returns the sets that a rule matches or fills.
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

// Leads returns the target of a rule: a chain or an action; "" if there is none.
func Leads(words []string) (target string) {
	followed(words, func(word, next string, _ bool) bool {
		if word == "-j" || word == "-g" {
			target = next
		}
		return target == ""
	})
	return target
}
