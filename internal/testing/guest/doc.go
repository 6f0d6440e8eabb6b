// Package guest runs a test binary in another kernel, which sees the machine's files and can
// change none of them. Packages uml and qemu are the two ways to start one.
//
//	machine                             guest
//	┌──────────────────────────┐        ┌──────────────────────────────────┐
//	│ ipvs.test  TestInUML     │        │ ipvs.test as init (PID 1)        │
//	│   uml.Run ──▶ kernel ────┼──────▶ │   mounts, modules                │
//	│                          │        │   └─ ipvs.test -test.run=...     │
//	│ /  ──────────────────────┼────────┼─▶ /        (read only)           │
//	│ dir: config, result ─────┼────────┼─▶ OutDir   (read, write)         │
//	└──────────────────────────┘        └──────────────────────────────────┘
//
// A package that uses it calls [Main] in its TestMain, because one binary plays
// all roles: the test on the machine, and inside the init process, the kernel's
// helper to load modules, and the test.
package guest
