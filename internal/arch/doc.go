// Package arch holds the test of planec's structure.
package arch
