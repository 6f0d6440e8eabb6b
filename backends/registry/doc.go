// Package registry lists the backends of planec. A new backend is one package
// and one line in All.
package registry
