// Package irtest has programs for the tests of backends: one that uses every
// field, and random ones that no compiler makes.
package irtest
