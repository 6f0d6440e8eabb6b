// Package growth counts the work that objects cost which were written to be dear:
// every statement that planec executes from reading a file to the rules of all
// backends, by the counters of a build with coverage. Unlike time, that is the
// same in every run and on every machine.
//
// What the standard library does is not counted, but for the functions that it
// is given.
package growth
