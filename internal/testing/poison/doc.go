// Package poison has objects that a node cannot enforce, and dataplanes that refuse
// them, for tests of what becomes of all others.
package poison
