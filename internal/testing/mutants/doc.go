// Command mutants finds out what a package's tests would not notice: it changes the
// package in small ways, one after the other, and lists the changes that every test of
// the package passes with. `make mutants` runs it.
//
//	mutants [-workers N] [-at-least PERCENT] [-longest DURATION] PACKAGE...
//
// The changes are conditions negated, comparisons that take in one value more or less,
// && for ||, statements left out, results replaced by their zero values, and numbers
// added instead of subtracted. All changes of a package are compiled into one test
// binary, and the environment says which of them counts, so that a change costs a run
// and no compilation. A first run of each test finds out which changes it comes by, and
// how long it takes: a change is tried with those tests, the quickest first.
//
// What only writes to a log is left alone.
package main
