// Package poison has objects that a node cannot enforce and dataplanes that refuse
// them, to test that all other objects stay unaffected.
package poison
