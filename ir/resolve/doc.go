// Package resolve turns the ordered rules of a program's policy into
// unordered tables, for backends that use lookups.
//
// It has three steps, each a plain partition:
//
//	addresses ─▶ class   which address sets hold the address
//	profile × direction × class ─▶ row
//	row × protocol × port ─▶ verdict
//
// Classes partition the address space so that no rule of this node distinguishes
// addresses of a class. Tiers, priorities, Deny and Pass are gone, because each
// row is the final answer for its ports. A packet costs one lookup of each kind,
// however many policies there are, and a new pod adds one address to a class.
//
// A [Memo] makes the tables of a policy from those of the one before: tables whose
// rules stay need rows for new classes only (history.go).
//
// Package eval does not read these tables, so tests can compare the two.
package resolve
