// Package fate follows a packet on all the ways that random numbers open, and
// joins what becomes of it. Interpreters share it; it knows no rules.
package fate
