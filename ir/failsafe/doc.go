// Package failsafe gives up objects that cannot be enforced, so that all else of a
// program is, and so that giving up is safe: a Service refuses, and a policy
// closes what it selects. Which objects those are is not known here: a backend's
// Check knows some, and the kernel's answers the others.
package failsafe
