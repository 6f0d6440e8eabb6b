// Package apisource reads a cluster's objects from the API server and follows
// their changes.
//
// It uses client-go's reflectors, which talk to the server as informers do:
// streamed lists if the server offers them (KEP-3157), otherwise pages; watches
// that resume; and a new list when a version has expired. It omits the
// informers' store: an object goes to the inbox with the fields that the
// compiler reads, and this package keeps only its resource version.
package apisource
