// Package diffwrite writes reports of package diffreport: for terminals, pull
// requests, continuous integration and other programs. Names and values in a
// report are hostile; each format escapes what could be more than text.
package diffwrite
