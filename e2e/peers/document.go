package peers

import (
	"bytes"
	"fmt"
	"os"
)

// The lines of a document between which the tables are.
const (
	begin = "<!-- make bench-peers: begin -->\n"
	end   = "<!-- make bench-peers: end -->\n"
)

// Between replaces what is between the lines in a document.
func Between(document, tables []byte) ([]byte, error) {
	before, rest, found := bytes.Cut(document, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return nil, fmt.Errorf("the lines %q and %q are missing, or in the wrong order", begin, end)
	}
	return bytes.Join([][]byte{before, []byte(begin), tables, []byte(end), after}, nil), nil
}

// Write puts the tables into the document at a path.
func Write(path string, tables []byte) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	out, err := Between(text, tables)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, out, 0o644)
}
