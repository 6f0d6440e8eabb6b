// Package play makes the playground: the page of package report together with the
// compiler in WebAssembly (cmd/planec-wasm), so that manifests are compiled while one
// edits them. A playground is a handful of files that any web server can host; [Handler]
// is one for this machine, and [Write] makes a folder of them.
//
// The page's scripts find the compiler as window.planec (page/play.js says what it has).
// It runs in a worker (page/worker.js), over files in memory (page/memory.js), and is the
// whole command line: what the page shows is what `planec` prints.
package play
