// Package inbox gathers what sources see of a cluster until it is taken: of
// many changes of one object only the last is left, and nothing is given out
// before the first listing is complete.
//
//	source ─▶ Put, Delete, Complete ─▶ Inbox ─▶ Wake, Take ─▶ the agent's loop
//
// Services and slices are given out as changes, since the compiler takes them so;
// objects of all other kinds are kept here and given out together.
package inbox
