// Package inbox collects the changes that sources see until they are taken:
// of several changes of one object only the last one is kept, and nothing is
// given out before the first listing is complete.
//
//	source ─▶ Put, Delete, Complete ─▶ Inbox ─▶ Wake, Take ─▶ the agent's loop
//
// Services and slices are given out as changes, because the compiler takes them
// so; objects of all other kinds are stored here and given out together.
//
// [Follow] runs a source, and [World] keeps all of what it delivered.
package inbox
