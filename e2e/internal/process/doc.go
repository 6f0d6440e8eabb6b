// Package process runs programs in a network namespace for a test: it starts,
// kills, stops and measures them, keeps their output, and never leaves one
// running after the test.
package process
