package manifest

import (
	"bytes"

	"github.com/planec/planec/ir/diag"
)

// isSeparator reports whether the line is YAML's "---". No scalar of any style
// can contain such a line, so cutting there is exact.
func isSeparator(line []byte) bool {
	return bytes.HasPrefix(line, []byte("---")) && (len(line) == 3 || isSpace(line[3]))
}

// yamlDocument takes the lines up to the next separator and sends them: in one
// piece, or item by item if they have the shape of kubectl's lists.
func (s *splitter) yamlDocument() {
	d := yamlDocument{splitter: s, line: s.w.line}
	for first := true; ; first = false {
		line := s.w.nextLine(maxObject)
		if len(line) == 0 || (!first && isSeparator(line)) || s.out.ctx.Err() != nil {
			break
		}
		if first && isSeparator(line) {
			if rest := bytes.TrimSpace(line[3:]); len(rest) == 0 || rest[0] == '#' {
				// JSON may follow, so return to the caller, which detects it.
				s.w.take(len(line))
				return
			}
		}
		at := s.w.line
		d.add(s.w.take(len(line)), at)
	}
	d.finish()
}

// yamlDocument is a YAML document while it is read.
type yamlDocument struct {
	*splitter
	line int
	// text is the whole document, unless it is too large.
	text     []byte
	tooLarge bool
	shape    listShape
	list     *list
	// entry is the current item.
	entry     []byte
	entryLine int
	entryBad  bool
}

func (d *yamlDocument) add(line []byte, at int) {
	if !d.tooLarge && len(d.text)+len(line) > maxObject {
		d.tooLarge, d.text = true, nil
	}
	if !d.tooLarge {
		d.text = append(d.text, line...)
	}
	switch d.shape.next(line) {
	case startsItem:
		d.endEntry()
		d.entryLine = at
		d.addEntry(line)
	case insideItem:
		d.addEntry(line)
	case outside:
		d.endEntry()
	}
}

func (d *yamlDocument) addEntry(line []byte) {
	if len(d.entry)+len(line) > maxObject {
		d.entryBad = true
	}
	if !d.entryBad {
		d.entry = append(d.entry, line...)
	}
}

func (d *yamlDocument) endEntry() {
	if d.list == nil && (d.shape.inItems() || len(d.entry) > 0) {
		d.list = &list{file: d.file, line: d.line}
	}
	if d.entryBad {
		d.report(diag.BadObject, d.entryLine, "an item of the list was left out: "+errTooLarge.Error())
	} else if len(d.entry) > 0 && !d.shape.lost {
		d.out.send(d.list, piece{text: d.entry, file: d.file, line: d.entryLine, yaml: true, item: true})
	}
	d.entry, d.entryBad = d.entry[:0], false
}

func (d *yamlDocument) finish() {
	d.endEntry()
	if d.list == nil {
		if d.tooLarge {
			d.report(diag.BadDocument, d.line, "the YAML document was left out: "+errTooLarge.Error())
		} else if len(d.text) > 0 {
			d.out.send(nil, piece{text: d.text, file: d.file, line: d.line, yaml: true})
		}
		return
	}
	meta, ok := d.shape.meta()
	d.list.meta, d.list.document = meta, d.text
	d.list.mustFallBack = !ok
	if !ok && d.tooLarge {
		d.list.mustFallBack, d.list.broken = false, true
		d.report(diag.BadDocument, d.line, "not all of the list could be read: its outline is not that of a list as kubectl prints it, and as a whole "+errTooLarge.Error())
	}
	d.out.end(d.list)
}
