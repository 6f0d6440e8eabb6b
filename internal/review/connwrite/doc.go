// Package connwrite writes who can reach whom ([connectivity.Map]) as text, Markdown,
// CSV, JSON, DOT, SVG and HTML. All forms are deterministic and escape names.
package connwrite
