// Package uml runs a test binary in User Mode Linux: a kernel that is a program,
// with modules that the machine's own kernel may lack, as IPVS. It needs root on
// no machine and leaves nothing behind.
//
//	machine                             User Mode Linux
//	┌──────────────────────────┐        ┌──────────────────────────────────┐
//	│ ipvs.test  TestInUML     │        │ ipvs.test as init (PID 1)        │
//	│   uml.Run ──▶ linux.uml ─┼──────▶ │   mounts, modules                │
//	│                          │        │   └─ ipvs.test -test.run=...     │
//	│ /  ──────────────────────┼─hostfs─┼─▶ /      (read only)             │
//	│ dir: config, result ─────┼─hostfs─┼─▶ uml.OutDir (read, write)       │
//	└──────────────────────────┘        └──────────────────────────────────┘
//
// A package that uses it gives its TestMain to [Main], because one binary is
// everything: the test on the machine, and inside the init process, the helper
// by which the kernel loads modules, and the test.
//
// The kernel is linux.uml of Debian's package user-mode-linux, with the modules
// that the package brings. On processors whose registers need more room than it
// knows of, it cannot start a process; a small library put before ptrace(2)
// helps (shim/ptrace.c), for which there must be a C compiler.
package uml
