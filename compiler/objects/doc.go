// Package objects defines the compiler's input: typed Kubernetes objects, each with
// the file and line it was read from. internal/input/manifest fills it from files,
// and the agent from the API server; for the compiler there is no difference.
package objects
