// Package nettest is tests of a cluster's network as people write them: who is to
// reach whom, and who must not. It reads the files, compares what is expected
// with what happens, and writes results; following connections is its callers'
// work.
package nettest
