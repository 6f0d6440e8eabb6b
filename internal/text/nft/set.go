package nft

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// set reads the facts of a set, and finds the lines of its elements.
func (p *parser) set(s *Set) error {
	for {
		line, err := p.next()
		if err != nil {
			return err
		}
		if string(line) == "\t}" {
			return s.check()
		}
		text, ok := bytes.CutPrefix(line, []byte("\t\t"))
		if !ok || s.Text != nil {
			return fmt.Errorf("unknown fact of a set, or one after its elements: %q", line)
		}
		if string(text) != "elements = {" {
			err = s.fact(string(text))
		} else if s.line = p.number; s.Dynamic {
			err = fmt.Errorf("elements of a dynamic set")
		} else {
			s.Text, s.Len, err = p.section("\t\t}\n")
		}
		if err != nil {
			return err
		}
	}
}

func (s *Set) fact(text string) (err error) {
	switch {
	case strings.HasPrefix(text, "type") && s.Key == nil:
		return s.declaration(text)
	case text == "flags interval":
		s.Interval = true
	case text == "flags dynamic,timeout":
		s.Dynamic = true
	case strings.HasPrefix(text, "size "):
		var n uint64
		n, err = strconv.ParseUint(text[len("size "):], 10, 32)
		s.Size = uint32(n)
	default:
		err = fmt.Errorf("unknown fact of a set: %q", text)
	}
	return err
}

// declaration reads "type ..." or "typeof ...".
func (s *Set) declaration(text string) error {
	line, err := split(nil, text)
	if err != nil {
		return err
	}
	list := line.types
	switch line.next() {
	case "type":
	case "typeof":
		list = line.concat
	default:
		return fmt.Errorf("unknown fact of a set: %q", text)
	}
	if s.Key, err = list(); err != nil {
		return err
	}
	if line.accept(":") {
		if s.Data, err = list(); err != nil {
			return err
		}
	}
	if !line.done() {
		return fmt.Errorf("%q after the type", line.peek())
	}
	return nil
}

// types reads names of types with dots between them.
func (w *words) types() ([]Field, error) {
	var list []Field
	for {
		name := w.next()
		k, ok := typeNames[name]
		if !ok {
			return nil, fmt.Errorf("type %q", name)
		}
		list = append(list, Field{Kind: k})
		if !w.accept(".") {
			return list, nil
		}
	}
}

// check looks whether the facts fit together, once all of them are read.
func (s *Set) check() error {
	isVerdict := func(f Field) bool { return f.Kind == VerdictKind }
	switch last := len(s.Key) - 1; {
	case last < 0:
		return fmt.Errorf("set %s has no type", s.Name)
	case (s.Data != nil) != s.Map:
		return fmt.Errorf("set %s: maps have data, and only they do", s.Name)
	case slices.ContainsFunc(s.Key, isVerdict) || len(s.Data) > 1 && slices.ContainsFunc(s.Data, isVerdict):
		return fmt.Errorf("set %s: a verdict is data, and alone", s.Name)
	case Words(s.Key) > 16 || Words(s.Data) > 16:
		return fmt.Errorf("set %s: longer than 64 bytes", s.Name)
	case s.Interval && s.Key[last].Kind != Addr4 && s.Key[last].Kind != Addr6:
		return fmt.Errorf("set %s: ranges of something that is no address", s.Name)
	case s.Interval && s.Dynamic:
		return fmt.Errorf("set %s: dynamic and with ranges", s.Name)
	}
	return nil
}
