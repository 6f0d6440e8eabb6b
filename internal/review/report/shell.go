package report

import (
	"bytes"
	"embed"
	"fmt"
	"html"
	"io"
)

//go:embed page
var page embed.FS

// scripts and styles are the parts of the page, in the order in which they need
// each other. All scripts share one scope.
func scripts() []string {
	return []string{
		"dom", "eval", "document", "state", "syntax", "marks", "lines", "objects", "summary", "manifests", "editor", "meaning", "rules",
		"layout", "wires", "map", "sentence", "hops", "packet", "views", "keys", "main",
	}
}

func styles() []string { return []string{"theme", "frame", "panes", "map", "narrow"} }

// staticPolicy is the Content-Security-Policy of a page that loads nothing.
const staticPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

// Shell is the page around a document.
type Shell struct {
	// Data is the document, as [Document] returns it. Without one, the page asks
	// its engine, window.planec.
	Data []byte
	// Policy is the page's Content-Security-Policy; "" is one that loads nothing.
	Policy string
	// Engine is markup before the page's own scripts: those that make
	// window.planec. It is written as it is.
	Engine []byte
}

// Write writes the page.
func (s Shell) Write(w io.Writer) error {
	out, err := page.ReadFile("page/page.html")
	if err != nil {
		return fmt.Errorf("the page: %w", err)
	}
	style, err := joined("css", styles())
	if err != nil {
		return err
	}
	script, err := joined("js", scripts())
	if err != nil {
		return err
	}
	policy, data := s.Policy, s.Data
	if policy == "" {
		policy = staticPolicy
	}
	if len(data) == 0 {
		data = []byte("null")
	}
	// Names are replaced in the order of the page, each once and only behind the one
	// before: what is put in is not looked at again.
	var done []byte
	for _, part := range []struct {
		name    string
		content []byte
	}{
		{"{{policy}}", []byte(html.EscapeString(policy))}, {"{{style}}", style}, {"{{data}}", data}, {"{{engine}}", s.Engine}, {"{{script}}", script},
	} {
		before, after, _ := bytes.Cut(out, []byte(part.name))
		done, out = append(append(done, before...), part.content...), after
	}
	if _, err := w.Write(append(done, out...)); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// joined returns the files of one kind, one after the other.
func joined(kind string, names []string) ([]byte, error) {
	var all bytes.Buffer
	if kind == "js" {
		all.WriteString("\"use strict\";\n")
	}
	for _, name := range names {
		b, err := page.ReadFile("page/" + name + "." + kind)
		if err != nil {
			return nil, fmt.Errorf("the page: %w", err)
		}
		all.Write(b)
	}
	return all.Bytes(), nil
}
