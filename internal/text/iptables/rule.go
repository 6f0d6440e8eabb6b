package iptables

import (
	"slices"
	"strings"

	"github.com/planec/planec/internal/text/quoted"
)

// Rule is a rule with known matches and targets: its matches in order, and its
// target.
type Rule struct {
	Matches []Match // in the order of the text
	Target  Target  // ends the rule
}

// Match is one option of a match with its values.
type Match struct {
	// Module is the word after -m; it is "" for -s, -d, -i and -p, which need no module.
	Module, Option string
	Negated        bool     // whether "!" precedes the option
	Values         []string // as many as the option takes
}

// Target is the action of a rule, or the chain that it leads to.
type Target struct {
	Name string // the action, or the name of the chain
	// Goto is whether the packet does not return from the chain (-g).
	Goto    bool
	Options []Option // of the action, in the order of the text
}

// Option is an option of a target with its values.
type Option struct {
	Name   string   // with its dashes, as in the text
	Values []string // may be empty
}

// matches has the known modules with their options, and the number of values of each
// option. nfacct, physdev and recent are kube-proxy's only, and so are the options of ipvs
// that have a value.
var matches = map[string]map[string]int{
	"":          {"-s": 1, "-d": 1, "-i": 1, "-p": 1},
	"addrtype":  {"--src-type": 1, "--dst-type": 1},
	"comment":   {"--comment": 1},
	"conntrack": {"--ctstate": 1},
	"icmp":      {"--icmp-type": 1},
	"icmp6":     {"--icmpv6-type": 1},
	"ipvs":      {"--ipvs": 0, "--vaddr": 1, "--vproto": 1, "--vport": 1},
	"mark":      {"--mark": 1},
	"multiport": {"--dports": 1},
	"nfacct":    {"--nfacct-name": 1},
	"physdev":   {"--physdev-is-in": 0},
	"recent": {
		"--set": 0, "--rcheck": 0, "--seconds": 1, "--reap": 0, "--name": 1, "--mask": 1, "--rsource": 0,
	},
	"sctp":      {"--dport": 1, "--sport": 1},
	"set":       {"--match-set": 2},
	"statistic": {"--mode": 1, "--probability": 1},
	"tcp":       {"--dport": 1, "--sport": 1, "--tcp-flags": 2},
	"udp":       {"--dport": 1, "--sport": 1},
}

// targets has the known actions with their options.
var targets = map[string]map[string]int{
	"ACCEPT":     {},
	"DNAT":       {"--to-destination": 1},
	"DROP":       {},
	"LOG":        {"--log-prefix": 1},
	"MARK":       {"--set-xmark": 1},
	"MASQUERADE": {"--random-fully": 0},
	"REJECT":     {"--reject-with": 1},
	"RETURN":     {},
	"SET":        {"--add-set": 2, "--del-set": 2, "--map-set": 2, "--exist": 0, "--timeout": 1, "--map-mark": 0},
}

// IsTarget reports whether a word is an action, which cannot be the name of a chain.
func IsTarget(word string) bool { return targets[word] != nil }

// ParseRule parses the words of a rule without verb and chain. An unknown match or
// option is an error, and so is a missing target.
func ParseRule(words []string) (Rule, error) { return parseRule(words, false) }

// ParseListed is [ParseRule] for rules of other programs, as iptables-save lists them: they
// may have no target, and a module without an option ("-p tcp -m tcp").
func ParseListed(words []string) (Rule, error) { return parseRule(words, true) }

func parseRule(words []string, listed bool) (Rule, error) {
	var out Rule
	r := quoted.NewReader(words)
	module, fresh := "", false
	for !r.Done() {
		negated := r.Skip("!")
		switch word := r.Next(); word {
		case "-m", "-j", "-g":
			if negated || fresh && !listed {
				r.Fail("%s where an option is wanted", word)
			}
			if word != "-m" {
				out.Target = parseTarget(r, word == "-g")
				return out, r.End()
			}
			module, fresh = r.Next(), true
			if matches[module] == nil || module == "" {
				r.Fail("match -m %s is not known", module)
			}
		default:
			m := Match{Module: module, Option: word, Negated: negated}
			n, known := matches[module][word]
			if short, is := matches[""][word]; is && !fresh {
				m.Module, n, known = "", short, true
			}
			if !known {
				r.Fail("option %s of match %q is not known", word, module)
			}
			m.Values = r.Take(n)
			out.Matches, fresh = append(out.Matches, m), false
		}
	}
	if !listed {
		r.Fail("the rule has no target")
	}
	return out, r.Err()
}

func parseTarget(r *quoted.Reader, isGoto bool) Target {
	t := Target{Name: r.Next(), Goto: isGoto}
	known := targets[t.Name]
	if isGoto && known != nil {
		r.Fail("-g %s: no chain", t.Name)
	}
	for !r.Done() {
		o := Option{Name: r.Next()}
		n, is := known[o.Name]
		if !is || slices.ContainsFunc(t.Options, func(have Option) bool { return have.Name == o.Name }) {
			r.Fail("option %s of target %s is not known, or is there twice", o.Name, t.Name)
		}
		o.Values = r.Take(n)
		t.Options = append(t.Options, o)
	}
	return t
}

// Value returns the value of an option, several values joined by spaces, or "" if
// the target does not have the option.
func (t *Target) Value(option string) string {
	for _, o := range t.Options {
		if o.Name == option {
			return strings.Join(o.Values, " ")
		}
	}
	return ""
}

// Value returns the value of a match option that is not negated, like [Target.Value].
func (r *Rule) Value(option string) string {
	for _, m := range r.Matches {
		if m.Option == option && !m.Negated {
			return strings.Join(m.Values, " ")
		}
	}
	return ""
}
