// Package interp determines what the files of a backend do to a packet, by
// interpreting them. Each backend has its own interpreter package, which shares no
// code with the emitter. To add one, add a line to New.
package interp
