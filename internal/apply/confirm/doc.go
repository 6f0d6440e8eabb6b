// Package confirm takes a change back unless it is confirmed in time, whatever becomes
// of the process that made it.
//
// A guard, which is a process of its own in a session of its own, is armed before the
// change begins: it has looked at what there is to go back to. It is the guard that
// goes back, alone: when the time is over, when it is told to, and when the pipe from
// its parent ends because that was killed.
//
//	parent                          guard
//	           ◀── armed
//	 change
//	 applied D ──▶                  the time runs
//	 keep      ──▶  ◀── kept
//	 back      ──▶  ◀── restored    also when D is over, at a SIGTERM, and at the
//	                                end of the pipe
//
// What comes first counts, and the guard says what it was. Only when the guard is gone
// without a word does the parent go back itself.
package confirm
