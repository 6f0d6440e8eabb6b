// Package diag holds planec's findings about its input: diagnostics with a
// stable code, a severity, an origin and a hint. The compiler and the
// backends return diagnostics and print nothing.
package diag
