package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/report"
)

// document is `planec report --format json`. Where nothing can be shown, the diagnostics
// are written anyway, in a document without nodes: a page that compiles while one types
// shows them.
func (c *reportCommand) document() error {
	care := c.input.care
	c.input.care = lenient
	stdin := new(bytes.Buffer)
	streams := *c.streams
	streams.In = io.TeeReader(c.streams.In, stdin)
	l, err := c.input.load(&streams)
	if err != nil {
		return err
	}
	nothing := report.Input{Objects: &objects.Set{}, Diagnostics: l.read}
	if err := c.input.refused(care, l.read); err != nil {
		nothing.Diagnostics = l.refine(l.read)
		return errors.Join(c.write(nothing), err)
	}
	in, err := c.state(l, stdin.Bytes)
	if err != nil {
		nothing.Diagnostics = l.refine(l.diagnostics())
		return errors.Join(c.write(nothing), err)
	}
	return errors.Join(c.write(in), l.judge(in.Diagnostics))
}

// writeDocument writes what a page shows, as JSON.
func writeDocument(w io.Writer, in report.Input) error {
	data, err := report.Document(in)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", data)
	return err
}
