// Command bench prints the table of docs/performance.md: the cost of planec at
// 1,000, 10,000 and 30,000 Services with 5 endpoints each, in CPU seconds (user
// and system, all threads) of whole processes, which include garbage collection
// and the kernel's work. Every figure is the median of several runs in separate
// processes. Figures of the kernel need root and nft.
package main
