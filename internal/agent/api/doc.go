// Package api is what a running planec-agent answers to the commands of its node:
// how it is doing, and which rules it wants the kernel to have.
//
//	planec status, verify ─▶ Client ─▶ unix socket ─▶ Handler ─▶ planec-agent
//
// The socket is beside the locks of the network namespace (internal/apply/nodelock), in
// /run/planec and in the state directory, so that a command finds it by the namespace
// that it runs in, also where agent and command share one of the two only. It is not
// the listener of /healthz: that one can be switched off, its port may be another
// process's, and everybody in the network reaches it, while rules and file names are
// for those who may change the kernel.
package api
