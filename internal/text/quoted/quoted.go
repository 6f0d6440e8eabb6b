// Package quoted splits lines into words, of which some are in double quotes, as
// iptables-save and ipset save print them. It is stricter than the programs
// that load such lines: iptables-restore ends a word at the closing quote,
// ipset goes on with it, and either takes a quote in the middle of a word. What
// the two read differently is an error here, and no program prints it.
package quoted

import (
	"errors"
	"fmt"
	"strings"
)

// Syntax says what a backslash between quotes means.
type Syntax uint8

const (
	// Plain is ipset's: a backslash is a character like any other, and the
	// quote after it closes.
	Plain Syntax = iota
	// Escaped is that of iptables: a backslash takes the next character as
	// it is.
	Escaped
)

// MaxLine bounds a line, in bytes. The longest that planec writes has a few
// hundred.
const MaxLine = 8192

var (
	errUnclosed = errors.New("a quote is not closed")
	errMiddle   = errors.New("a quote is in the middle of a word, or text follows one")
)

// Split returns the words of a line, without quotes. Words are parted by blanks
// and tabs; a word in quotes may have those, and may be empty.
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

// between reads a word that begins with a quote, and says where the text after
// its other quote begins.
func between(line string, syntax Syntax) (word string, end int, err error) {
	end = 1
	var escaped []byte // the word so far, where it is not as in the line
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
