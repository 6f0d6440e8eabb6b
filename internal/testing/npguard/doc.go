// The command npguard compares `planec matrix` without ports with the connectivity lists
// that np-guard's netpol-analyzer expects of its own test directories:
//
//	go run ./internal/testing/npguard [-v] DIR
//
// DIR is a checkout of that project, with tests/NAME and
// test_outputs/connlist/NAME_connlist_output.txt (or .csv); nothing of it is part of
// planec. A directory is equal if every pair of pods, every pod with every address
// outside and every entry point has the same ports. For each other one the program says
// why, as far as it can find out by itself: see [reason].
package main
