// Package objects holds the compiler's input: typed Kubernetes objects, each
// with the file and line it was read from. internal/input/manifest fills it from
// files, an agent from the API server; the compiler cannot tell.
package objects
