// Package process runs programs in a network namespace for a test: it starts,
// kills, stops and measures them, keeps what they print, and leaves none behind
// however the test ends.
package process
