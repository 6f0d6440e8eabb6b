package selector

import (
	"errors"
	"fmt"
	"strings"
)

// kind is the kind of a token.
type kind uint8

const (
	tokEnd kind = iota
	tokLabel
	tokString
	tokHas
	tokAll
	tokGlobal
	tokOperator // a comparison: its word is the token's text
	tokNot
	tokAnd
	tokOr
	tokOpen
	tokClose
	tokOpenSet
	tokCloseSet
	tokComma
)

// token is a word of the language. The text of a label, a string and has() is what it
// names.
type token struct {
	kind kind
	text string
}

// longestLabel is the longest name of a label, in bytes (tokenizer.MaxLabelLength).
const longestLabel = 512

var marks = []struct {
	text string
	token
}{
	{"(", token{tokOpen, "("}},
	{")", token{tokClose, ")"}},
	{"{", token{tokOpenSet, "{"}},
	{"}", token{tokCloseSet, "}"}},
	{",", token{tokComma, ","}},
	{"==", token{tokOperator, "=="}},
	{"!=", token{tokOperator, "!="}},
	{"!", token{tokNot, "!"}},
	{"&&", token{tokAnd, "&&"}},
	{"||", token{tokOr, "||"}},
}

// tokens splits a text. The last token is the end.
func tokens(text string) ([]token, error) {
	var out []token
	afterLabel := false
	for {
		text = strings.TrimLeft(text, " \t")
		if text == "" {
			return append(out, token{kind: tokEnd}), nil
		}
		t, rest, err := next(text, afterLabel)
		if err != nil {
			return nil, err
		}
		afterLabel = t.kind == tokLabel
		out, text = append(out, t), rest
	}
}

// next cuts the first token off a text that starts with one.
func next(text string, afterLabel bool) (token, string, error) {
	if text[0] == '"' || text[0] == '\'' {
		value, rest, closed := strings.Cut(text[1:], text[:1])
		if !closed {
			return token{}, "", errors.New("a string without its second quote")
		}
		return token{tokString, value}, rest, nil
	}
	for _, m := range marks {
		if rest, found := strings.CutPrefix(text, m.text); found {
			return m.token, rest, nil
		}
	}
	switch text[0] {
	case '=', '&', '|':
		return token{}, "", fmt.Errorf("%q alone: the operators are ==, !=, && and ||", text[:1])
	}
	if afterLabel {
		return operator(text)
	}
	return name(text)
}

// operators are the comparisons that are words. Of several words, the first ones may
// touch: "notin" is "not in".
var operators = []struct {
	name  string
	words []string
}{
	{"contains", []string{"contains"}},
	{"starts with", []string{"starts", "with"}},
	{"ends with", []string{"ends", "with"}},
	{"not in", []string{"not", "in"}},
	{"in", []string{"in"}},
}

func operator(text string) (token, string, error) {
	for _, o := range operators {
		rest, found := text, true
		for i, w := range o.words {
			if i > 0 {
				rest = strings.TrimLeft(rest, " \t")
			}
			if rest, found = strings.CutPrefix(rest, w); !found {
				break
			}
		}
		if !found {
			continue
		}
		after := rest
		if len(o.words) > 1 {
			after = strings.TrimLeft(rest, " \t") // as Calico looks
		}
		if after == "" || !isNameByte(after[0]) {
			return token{tokOperator, o.name}, rest, nil
		}
	}
	return token{}, "", errors.New("no operator after a label")
}

// calls are the functions of the language.
var calls = []struct {
	name  string
	kind  kind
	label bool
}{{"has(", tokHas, true}, {"all(", tokAll, false}, {"global(", tokGlobal, false}}

// name cuts off a function or the name of a label.
func name(text string) (token, string, error) {
	for _, c := range calls {
		rest, found := strings.CutPrefix(text, c.name)
		if !found {
			continue
		}
		t := token{kind: c.kind}
		rest = strings.TrimLeft(rest, " \t")
		if c.label {
			var err error
			if t.text, rest, err = label(rest); err != nil {
				return token{}, "", err
			}
			rest = strings.TrimLeft(rest, " \t")
		}
		if rest, found = strings.CutPrefix(rest, ")"); !found {
			return token{}, "", fmt.Errorf("no ) after %s", c.name)
		}
		return t, rest, nil
	}
	l, rest, err := label(text)
	return token{tokLabel, l}, rest, err
}

func label(text string) (name, rest string, err error) {
	n := 0
	for n < len(text) && isNameByte(text[n]) {
		n++
	}
	switch {
	case n == 0 && text == "":
		return "", "", errors.New("the end where the name of a label should be")
	case n == 0:
		return "", "", fmt.Errorf("%q where the name of a label should be", firstRune(text))
	case n > longestLabel:
		return "", "", fmt.Errorf("the name of a label with %d bytes, %d at most", n, longestLabel)
	}
	return text[:n], text[n:], nil
}

func firstRune(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '.' || c == '/' || c == '-'
}
