// Package cli is planec's command line: flags in, files out. What is printed on
// stdout is only ever the result of a command; diagnostics go to stderr.
//
// Exit codes: 0 fine, 1 a difference or a finding, 2 usage or input, 3 system.
package cli
