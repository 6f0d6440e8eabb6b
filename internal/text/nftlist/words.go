package nftlist

import (
	"fmt"
	"strings"
)

// word is a word, or the end of a line, "\n".
type word struct {
	text string
	line int
}

type parser struct {
	words []word
	at    int
}

// split splits a text into words.
func (p *parser) split(text []byte) error {
	line := 0
	for l := range strings.Lines(string(text)) {
		line++
		for l = strings.TrimLeft(l, " \t\r\n"); l != "" && l[0] != '#'; l = strings.TrimLeft(l, " \t\r\n") {
			n := wordLength(l)
			if n == 0 {
				return fmt.Errorf("line %d: a quote is not closed", line)
			}
			p.words = append(p.words, word{l[:n], line})
			l = l[n:]
		}
		p.words = append(p.words, word{"\n", line})
	}
	return nil
}

// wordLength is the length of the first word; 0 says that its quote is not closed.
func wordLength(l string) int {
	switch l[0] {
	case '"':
		if n := strings.IndexByte(l[1:], '"'); n >= 0 {
			return n + 2
		}
		return 0
	case '{', '}', ',', ';':
		return 1
	}
	if n := strings.IndexAny(l, " \t\r\n{},;\""); n > 0 {
		return n
	}
	return len(l)
}

func (p *parser) done() bool { return p.at >= len(p.words) }

func (p *parser) peek() string {
	if p.done() {
		return ""
	}
	return p.words[p.at].text
}

func (p *parser) next() string {
	w := p.peek()
	p.at++
	return w
}

// line is that of the next word, or the last one.
func (p *parser) line() int {
	if len(p.words) == 0 {
		return 0
	}
	return p.words[min(p.at, len(p.words)-1)].line
}

func (p *parser) errorf(format string, args ...any) error {
	p.at = max(min(p.at, len(p.words))-1, 0) // the word that was taken
	return fmt.Errorf("line %d: %w", p.line(), fmt.Errorf(format, args...))
}

func (p *parser) skipLines() {
	for p.peek() == "\n" || p.peek() == ";" {
		p.at++
	}
}

// restOfLine takes the words up to the end of the line, or to the brace that ends the block;
// braces may have several lines between them.
func (p *parser) restOfLine() (out []string) {
	for depth := 0; !p.done(); {
		w := p.peek()
		switch {
		case w == "{":
			depth++
		case w == "}" && depth == 0, w == "\n" && depth == 0:
			return out
		case w == "}":
			depth--
		}
		p.at++
		if w != "\n" {
			out = append(out, w)
		}
	}
	return out
}

// braces takes what is between a brace and its partner.
func (p *parser) braces() (out []word, err error) {
	if p.next() != "{" {
		return nil, p.errorf("want {")
	}
	for depth := 1; ; {
		if p.done() {
			return nil, p.errorf("a brace is not closed")
		}
		w := p.words[p.at]
		p.at++
		switch w.text {
		case "{":
			depth++
		case "}":
			if depth--; depth == 0 {
				return out, nil
			}
		case "\n":
			continue
		}
		out = append(out, w)
	}
}
