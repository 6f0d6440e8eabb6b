package applier

import "context"

// Fingerprinter is a dataplane that can tell cheaply whether its rules in the kernel
// are the same as before, though not what they are.
type Fingerprinter interface {
	// Fingerprint differs when the rules were changed by any process.
	Fingerprint(ctx context.Context) (string, error)
}
