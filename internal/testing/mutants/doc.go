// Command mutants finds changes that a package's tests do not detect: it changes
// the package in small ways, one at a time, and lists the changes with which all
// tests of the package pass. `make mutants` runs it.
//
//	mutants [-workers N] [-at-least PERCENT] [-longest DURATION] PACKAGE...
//
// The changes: conditions are negated, comparisons include or exclude the boundary,
// && and || are exchanged, statements are removed, results are replaced by zero
// values, and + and - are exchanged. All changes of a package are compiled into one
// test binary, and an environment variable selects one, so that a change costs a run
// but no compilation. A first run of each test records its duration and the changes
// that it executes; a change is tried only with those tests, the fastest first.
//
// Statements that only write to a log are not changed.
package main
