// Package registry is the list of planec's backends. A new backend is one
// package and one line here.
