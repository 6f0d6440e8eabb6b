// Package growth counts the work that hostile objects cause: every statement that
// planec executes from reading a file to the rules of all backends, by the
// counters of a build with coverage. Unlike time, the counts are the same in every
// run and on every machine.
//
// Statements of the standard library are not counted, but callbacks that it calls
// are.
package growth
