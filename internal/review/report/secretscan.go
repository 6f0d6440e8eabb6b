package report

import "bytes"

// What WithoutSecrets asks of each document is looked for byte by byte: a page that compiles
// while one types asks it of every manifest at every key, and regular expressions take a
// tenth of that time.

// separator returns where the first line that begins a document is, and where it ends: ---,
// alone or with a space behind it. Without one, start is -1.
func separator(text []byte) (start, end int) {
	for from := 0; from < len(text); {
		length := bytes.IndexByte(text[from:], '\n')
		if length < 0 {
			length = len(text) - from
		}
		line := text[from : from+length]
		if bytes.HasPrefix(line, []byte("---")) && (len(line) == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r') {
			return from, from + length
		}
		from += length + 1
	}
	return -1, 0
}

// hasPlainKind reports whether a line is a kind in plain words: "kind: Service".
func hasPlainKind(doc []byte) bool {
	for line := range bytes.Lines(doc) {
		rest, ok := bytes.CutPrefix(line, []byte("kind:"))
		if !ok {
			continue
		}
		rest = bytes.TrimSuffix(bytes.TrimSuffix(rest, []byte("\n")), []byte("\r"))
		if rest = bytes.Trim(rest, " "); len(rest) > 0 && len(bytes.TrimFunc(rest, isWordRune)) == 0 {
			return true
		}
	}
	return false
}

func isWordRune(r rune) bool {
	return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
}

// isVeiled reports whether a document has what it needs to be a Secret: the word, or a way
// to write it as something else (an escape, an alias, a tag, another encoding).
func isVeiled(doc []byte) bool {
	// ſ is an s where upper and lower case do not matter.
	if bytes.ContainsAny(doc, "\\*!&\x00") || bytes.Contains(doc, []byte("ſ")) {
		return true
	}
	for _, word := range [][]byte{[]byte("secret"), []byte("bgppeer")} {
		for i := range len(doc) - len(word) + 1 {
			if doc[i]|0x20 == word[0] && bytes.EqualFold(doc[i:i+len(word)], word) {
				return true
			}
		}
	}
	return false
}
