// Package confirm reverts a change unless it is confirmed in time, even if the process
// that made it dies.
//
// A guard is a separate process in its own session. It is armed, and knows the
// previous state, before the change begins. Only the guard reverts: when the time is
// over, when it is told to, and when the pipe from its parent closes because the
// parent was killed.
//
//	parent                          guard
//	           ◀── armed
//	 change
//	 applied D ──▶                  the time runs
//	 keep      ──▶  ◀── kept
//	 back      ──▶  ◀── restored    also after D, at a SIGTERM, and when the
//	                                pipe closes
//
// The first event decides, and the guard reports the outcome. Only if the guard dies
// silently does the parent revert the change itself.
package confirm
