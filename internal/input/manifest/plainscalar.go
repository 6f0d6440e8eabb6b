package manifest

import (
	"bytes"
	"strings"
)

// longestKey bounds a name: YAML has a limit of 1,024 characters for keys of one line.
const longestKey = 512

// keyEnd returns where the name of a field ends, at its colon, or 0 where the line does not
// begin with a name that is plain.
func keyEnd(line []byte) int {
	if !isLetter(line[0]) {
		return 0
	}
	end := 1
	for end < len(line) && isNameByte(line[end]) {
		end++
	}
	if end == len(line) || line[end] != ':' || end > longestKey || end+1 < len(line) && line[end+1] != ' ' || isWord(line[:end]) {
		return 0
	}
	return end
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameByte(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '-' || c == '.' || c == '/' || c == '_'
}

// scalar writes a value without quotes.
func (p *plain) scalar(text []byte) {
	switch first := text[0]; {
	case bytes.Contains(text, []byte(": ")) || bytes.Contains(text, []byte(" #")) || text[len(text)-1] == ':':
		p.fail()
	case string(text) == "true" || string(text) == "false" || string(text) == "null":
		p.out = append(p.out, text...)
	case isWord(text):
		p.fail()
	case isInteger(text):
		p.out = append(p.out, text...)
	case isLetter(first) || first == '/' || isDigit(first) && isNoNumber(text):
		p.string(text)
	default:
		p.fail()
	}
}

// isWord reports whether some version of YAML takes a text for null or a boolean.
func isWord(text []byte) bool {
	if len(text) > len("false") {
		return false
	}
	switch strings.ToLower(string(text)) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return true
	}
	return false
}

// isInteger reports whether a text is a whole number in the form that JSON has too.
func isInteger(text []byte) bool {
	if len(text) > 18 || len(text) > 1 && text[0] == '0' {
		return false
	}
	for _, c := range text {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// isNoNumber reports whether a text that begins with a digit is certainly no number: an address,
// a time, a quantity, a UID. A time is text in JSON too.
func isNoNumber(text []byte) bool {
	last := text[len(text)-1]
	return bytes.ContainsAny(text, ":/") || bytes.Count(text, []byte{'.'}) > 1 || bytes.Count(text, []byte{'-'}) > 1 ||
		text[0] != '0' && (isLetter(last) || last == '%')
}
