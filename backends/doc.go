// Package backends defines what a backend is: a pure emitter from a program to
// the files that one kernel subsystem loads.
package backends
