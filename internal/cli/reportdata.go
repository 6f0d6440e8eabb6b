package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/planec/planec/internal/review/report"
	"github.com/planec/planec/ir/diag"
)

// document is `planec report --format json`: the page's data with the diagnostics in it.
// Where there is nothing to show, the diagnostics are written anyway: a page that compiles
// while one types shows them.
func (c *reportCommand) document() error {
	care := c.input.care
	c.input.care = lenient
	l, err := c.input.load(c.streams)
	if err != nil {
		return err
	}
	if err := c.input.refused(care, l.read); err != nil {
		return errors.Join(c.writeDocument(nil, l.refine(l.read)), err)
	}
	in, diags, err := c.state(l)
	if err != nil {
		return errors.Join(c.writeDocument(nil, l.refine(l.diagnostics())), err)
	}
	diags = l.refine(append(l.diagnostics(), diags...))
	return errors.Join(c.writeDocument(&in, diags), l.judge(diags))
}

// writeDocument writes the data of a report, if there is one, and the diagnostics.
func (c *reportCommand) writeDocument(in *report.Input, diags diag.List) error {
	found, err := json.Marshal(jsonFindings(diags))
	if err != nil {
		return systemError(fmt.Errorf("writing the report: %w", err))
	}
	data := []byte("}")
	if in != nil {
		if data, err = report.Data(*in); err != nil {
			return systemError(err)
		}
		data[0] = ',' // in the place of its brace: an object that begins with the diagnostics
	}
	return c.toOutput(func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "{\"diagnostics\":%s%s\n", found, data)
		return written(err)
	})
}
