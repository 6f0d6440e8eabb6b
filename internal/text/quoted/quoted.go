// Package quoted splits lines of iptables-save and ipset save into words, some of
// which are in double quotes. It is stricter than the programs that load such
// lines: iptables-restore ends a word at the closing quote, ipset continues it,
// and both accept a quote inside a word. Text that the two programs read
// differently is an error here; neither program prints such text.
package quoted

import (
	"errors"
	"fmt"
	"strings"
)

// Syntax is the meaning of a backslash between quotes.
type Syntax uint8

const (
	// Plain is ipset's syntax: a backslash is an ordinary character, and a quote
	// after it ends the word.
	Plain Syntax = iota
	// Escaped is the syntax of iptables: the character after a backslash is taken
	// literally.
	Escaped
)

// MaxLine is the maximum length of a line, in bytes. The longest lines of planec
// have a few hundred.
const MaxLine = 8192

var (
	errUnclosed = errors.New("a quote is not closed")
	errMiddle   = errors.New("a quote is in the middle of a word, or text follows one")
)

// Split returns the words of a line without quotes. Spaces and tabs separate
// words; a quoted word may contain these, and may be empty.
func Split(line string, syntax Syntax) ([]string, error) {
	return Append(make([]string, 0, 1+strings.Count(line, " ")), line, syntax)
}

// Append appends the words of a line to a list.
func Append(list []string, line string, syntax Syntax) ([]string, error) {
	if len(line) > MaxLine {
		return nil, fmt.Errorf("longer than %d bytes", MaxLine)
	}
	for {
		line = strings.TrimLeft(line, " \t\r\n")
		if line == "" {
			return list, nil
		}
		end := strings.IndexAny(line, " \t\r\n")
		if end < 0 {
			end = len(line)
		}
		word := line[:end]
		if line[0] == '"' {
			var err error
			if word, end, err = between(line, syntax); err != nil {
				return nil, err
			}
		} else if strings.Contains(word, `"`) {
			return nil, errMiddle
		}
		list, line = append(list, word), line[end:]
	}
}

// between reads a word that begins with a quote, and returns the index after its
// closing quote.
func between(line string, syntax Syntax) (word string, end int, err error) {
	end = 1
	var escaped []byte // the word so far, if it has escapes
	for ; ; end++ {
		switch {
		case end >= len(line):
			return "", 0, errUnclosed
		case syntax == Escaped && line[end] == '\\' && end+1 < len(line):
			if escaped == nil {
				escaped = append([]byte{}, line[1:end]...)
			}
			end++
			escaped = append(escaped, line[end])
			continue
		case line[end] != '"':
			if escaped != nil {
				escaped = append(escaped, line[end])
			}
			continue
		}
		break
	}
	word = line[1:end]
	if escaped != nil {
		word = string(escaped)
	}
	if end++; end < len(line) && !strings.ContainsRune(" \t\r\n", rune(line[end])) {
		return "", 0, errMiddle
	}
	return word, end, nil
}
