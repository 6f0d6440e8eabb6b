// Package uml runs a test binary in User Mode Linux: a kernel that runs as a
// program, with modules that the machine's own kernel may lack, such as IPVS. It
// does not need root and leaves nothing behind. Package guest has what is inside.
//
// A package that uses it calls [Main] in its TestMain.
//
// The kernel is linux.uml of Debian's package user-mode-linux, with the modules of
// that package. On processors with more registers than it supports, it cannot
// start processes; a small library in front of ptrace(2) solves this
// (shim/ptrace.c), for which a C compiler is needed.
package uml
