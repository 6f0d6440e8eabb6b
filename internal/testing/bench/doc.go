// Command bench prints the table of docs/performance.md: what planec costs at
// 1,000, 10,000 and 30,000 Services with 5 endpoints each, in CPU seconds (user
// and system, all threads) of whole processes, so that garbage collection and
// the kernel's work are in it. Every figure is the median of several runs in a
// process of its own. The kernel's part needs root and nft.
package main
