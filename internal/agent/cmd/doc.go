// Package cmd is the command line of planec-agent: it makes an
// [github.com/planec/planec/internal/agent/loop.Agent] out of flags and files, and
// runs it with what a service proxy has around it: health and metrics servers,
// events, the kernel's settings, notices to the service manager. Linux only.
package cmd
