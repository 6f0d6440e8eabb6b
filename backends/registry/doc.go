// Package registry is the list of the backends of planec. A new backend is one
// package and one line in All.
package registry
