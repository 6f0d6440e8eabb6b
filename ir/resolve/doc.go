// Package resolve turns the ordered rules of a program's policy into tables
// without order, which is what backends that look things up need.
//
// Three steps, each a plain partition:
//
//	addresses ─▶ class   which address sets hold the address
//	profile × direction × class ─▶ row
//	row × protocol × port ─▶ verdict
//
// Classes cut the address space into pieces that no rule of this node can tell
// apart; tiers, priorities, Deny and Pass are gone, since each row is the final
// answer for its ports. A packet costs one look-up of each kind, however many
// policies there are, and a pod that comes or goes is one address in a class.
//
// Package eval does not read these tables, so it can prove them.
package resolve
