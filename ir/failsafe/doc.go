// Package failsafe gives up objects that cannot be enforced, so that the rest of a
// program is. Giving up is safe: a Service refuses connections, and a policy
// closes what it selects. The package does not decide which objects those are: a
// backend's Check finds some, and errors of the kernel find others.
package failsafe
