// Package interp answers what the files that a backend emitted do to a packet,
// by interpreting them. Each backend has an interpreter in a package of its own
// that shares no code with the emitter; a new one is a line in New.
package interp
