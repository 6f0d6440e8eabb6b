// Package cmd is the command line of planec-agent. It builds an
// [github.com/planec/planec/internal/agent/loop.Agent] from flags and files, and
// runs it together with health and metrics servers, Events, the kernel's settings,
// and notices to the service manager. Linux only.
package cmd
