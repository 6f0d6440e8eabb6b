// Package api is the interface between a running planec-agent and the commands of its node:
// it serves the agent's status and the rules that the agent wants the kernel to have.
//
//	planec status, verify ─▶ Client ─▶ unix socket ─▶ Handler ─▶ planec-agent
//
// The socket is beside the locks of the network namespace (internal/apply/nodelock),
// in /run/planec and in the state directory. So a command finds it by its own network
// namespace, even if agent and command share only one of the two directories. The api
// does not use the listener of /healthz: that one can be disabled, its port may
// belong to another process, and every host in the network can reach it, whereas
// rules and file names are only for users who may change the kernel.
package api
