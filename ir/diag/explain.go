package diag

// Explanation explains a code at length, for `planec explain` and docs/diagnostics.md.
// The code's hint says what to do.
type Explanation struct {
	// Why says when the code is reported and why it matters.
	Why string
	// Example triggers the code: a few lines of a manifest, or a command line.
	Example string
}

// Explain returns the explanation of the code; an unknown code has none.
func (c Code) Explain() Explanation {
	for _, part := range []map[Code]Explanation{aboutInput, aboutServices, aboutPools, aboutAnnouncing, aboutClusters, aboutNodes, aboutPolicies, aboutCalico, aboutCilium, aboutLint, aboutPolicyLint} {
		if e, known := part[c]; known {
			return e
		}
	}
	return Explanation{}
}
