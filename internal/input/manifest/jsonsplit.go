package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/planec/planec/ir/diag"
)

// jsonDocument takes one JSON object from the stream and sends it: in one piece,
// or item by item if it has a field "items". An error in the document's outer
// structure is returned; the start of the next document is then unknown.
func (s *splitter) jsonDocument() error {
	d := jsonDocument{splitter: s, line: s.w.line}
	err := d.read()
	d.finish(err)
	return err
}

// jsonDocument is a JSON object while it is read.
type jsonDocument struct {
	*splitter
	line int
	// header is the text of the document without its items, on the same lines.
	header []byte
	// meta holds the type fields so far; of two equal fields the last counts, as
	// in any JSON decoder.
	meta typeMeta
	list *list
	// bad is the error of the document as one object.
	bad error
}

func (d *jsonDocument) read() error {
	d.keep(d.w.take(1))
	for first := true; ; first = false {
		d.space()
		c, ok := d.w.peek(0)
		switch {
		case !ok:
			return errCut
		case c == '}':
			d.keep(d.w.take(1))
			return nil
		case c == ',' && !first:
			d.keep(d.w.take(1))
			d.space()
		case !first:
			return fmt.Errorf("%q where a comma or the object's end should be", c)
		}
		if err := d.field(); err != nil {
			return err
		}
	}
}

func (d *jsonDocument) field() error {
	if c, ok := d.w.peek(0); !ok {
		return errCut
	} else if c != '"' {
		return fmt.Errorf("%q where the name of a field should be", c)
	}
	text, err := d.w.scanValue()
	if err != nil {
		return err
	}
	name := jsonString(text)
	d.keep(text)
	d.space()
	if c, ok := d.w.peek(0); !ok {
		return errCut
	} else if c != ':' {
		return fmt.Errorf("%q where a colon should be", c)
	}
	d.keep(d.w.take(1))
	d.space()
	if c, _ := d.w.peek(0); name == "items" && c == '[' {
		return d.items()
	}
	text, err = d.w.scanValue()
	switch {
	case err == errTooLarge || err == errTooDeep:
		d.bad = err
		text = []byte("null")
	case err != nil:
		return err
	}
	switch name {
	case "kind":
		d.meta.kind = jsonString(text)
	case "apiVersion":
		d.meta.apiVersion = jsonString(text)
	}
	d.keep(text)
	return nil
}

// items sends the items of the list one by one.
func (d *jsonDocument) items() error {
	if d.list != nil {
		return fmt.Errorf(`the field "items" stands twice`)
	}
	d.list = &list{file: d.file, line: d.line}
	d.keep([]byte("[]"))
	d.w.take(1)
	for first := true; ; first = false {
		if err := d.out.ctx.Err(); err != nil {
			return err
		}
		d.w.skipSpace()
		c, ok := d.w.peek(0)
		switch {
		case !ok:
			return errCut
		case c == ']':
			d.w.take(1)
			return nil
		case c == ',' && !first:
			d.w.take(1)
			d.w.skipSpace()
		case !first:
			return fmt.Errorf("%q where a comma or the list's end should be", c)
		}
		if err := d.item(); err != nil {
			return err
		}
	}
}

func (d *jsonDocument) item() error {
	line := d.w.line
	text, err := d.w.scanValue()
	switch {
	case err == errTooLarge || err == errTooDeep:
		d.report(diag.BadObject, line, "an item of the list was left out: "+err.Error())
		return nil
	case err != nil:
		return err
	}
	p := piece{text: text, file: d.file, line: line, item: true}
	if d.meta.isList() {
		p.list = d.meta.element()
	}
	d.out.send(d.list, p)
	return nil
}

// finish determines the type of the document, and sends it if it is no list.
func (d *jsonDocument) finish(err error) {
	if err == nil && d.bad == nil && d.list != nil && !json.Valid(d.header) {
		d.bad = fmt.Errorf("it is not valid JSON")
	}
	if err == nil && d.bad == nil && d.list != nil && d.meta.isList() {
		if twice, _ := jsonProblem(d.header, nil); twice != nil {
			d.report(diag.BadObject, d.line+twice.line-1, twice.text)
			d.list.drop = true
		}
	}
	if err != nil {
		d.report(diag.BadDocument, d.w.line, "broken JSON: "+err.Error())
	} else if d.bad != nil {
		d.report(diag.BadDocument, d.line, "the JSON document was left out: "+d.bad.Error())
	}
	isList := err != nil || d.meta.isList()
	if d.list != nil {
		d.list.meta, d.list.broken, d.list.drop = d.meta, err != nil || d.bad != nil, d.list.drop || !isList
		d.out.end(d.list)
	}
	if err == nil && d.bad == nil && (d.list == nil || !isList) {
		d.out.send(nil, piece{text: d.header, file: d.file, line: d.line})
	}
}

// keep extends the header, up to its limit.
func (d *jsonDocument) keep(text []byte) {
	if d.bad == nil && len(d.header)+len(text) > maxObject {
		d.bad = errTooLarge
	}
	if d.bad == nil {
		d.header = append(d.header, text...)
	}
}

func (d *jsonDocument) space() { d.keep(d.w.skipSpace()) }

// jsonString returns the string that the JSON text holds, or "".
func jsonString(text []byte) string {
	if len(text) < 2 || text[0] != '"' {
		return ""
	}
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1])
	}
	var s string
	if json.Unmarshal(text, &s) != nil {
		return ""
	}
	return s
}

// sniffJSON returns the type fields of the object in the text, and whether it
// has items.
func sniffJSON(text []byte) (meta typeMeta, items bool, err error) {
	err = eachField(text, 1, func(name string, _ int, value []byte) {
		switch name {
		case "kind":
			meta.kind = jsonString(value)
		case "apiVersion":
			meta.apiVersion = jsonString(value)
		case "items":
			items = string(value) != "null"
		}
	})
	return meta, items, err
}

// eachField calls f for the fields of the object in the text, with the line and
// text of each value.
func eachField(text []byte, line int, f func(name string, line int, value []byte)) error {
	w := textWindow(text, line)
	if c, ok := w.peek(0); !ok || c != '{' {
		return fmt.Errorf("it is no object")
	}
	w.take(1)
	for {
		w.skipSpace()
		if c, ok := w.peek(0); ok && c == ',' {
			w.take(1)
			w.skipSpace()
		}
		if c, ok := w.peek(0); !ok || c != '"' {
			return nil
		}
		name, err := w.scanValue()
		if err != nil {
			return err
		}
		w.skipSpace()
		if c, ok := w.peek(0); !ok || c != ':' {
			return fmt.Errorf("a colon is missing")
		}
		w.take(1)
		w.skipSpace()
		at := w.line
		value, err := w.scanValue()
		if err != nil {
			return err
		}
		f(jsonString(name), at, value)
	}
}

// eachItem calls f for the values of the array in the text.
func eachItem(text []byte, line int, f func(line int, value []byte)) error {
	w := textWindow(text, line)
	w.take(1)
	for {
		w.skipSpace()
		if c, ok := w.peek(0); ok && c == ',' {
			w.take(1)
			w.skipSpace()
		}
		if c, ok := w.peek(0); !ok || c == ']' {
			return nil
		}
		at := w.line
		value, err := w.scanValue()
		if err != nil {
			return err
		}
		f(at, value)
	}
}
