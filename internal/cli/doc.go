// Package cli implements planec's command line. Commands print only their
// result to stdout; diagnostics go to stderr.
//
// Exit codes: 0 fine, 1 a difference or a finding, 2 usage or input, 3 system.
package cli
