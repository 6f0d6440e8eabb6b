// Package apisource reads a cluster's objects from the API server, for as long as
// they change.
//
// It stands on client-go's reflectors, which do what informers do with the
// server: streamed lists where it offers them (KEP-3157), pages otherwise,
// watches that go on where they were, and a new list when the server says that a
// version has expired. What informers keep besides is left out: an object goes
// to the inbox with the fields that the compiler reads, and only its resource
// version is remembered here.
package apisource
