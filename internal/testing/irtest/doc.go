// Package irtest has programs for tests of backends: one that uses every field,
// and random ones that the compiler does not produce.
package irtest
