// Package diag holds what planec says about its input: diagnostics with a
// stable code, a severity, an origin and a hint. Nothing in the compiler or a
// backend prints; it returns these.
package diag
