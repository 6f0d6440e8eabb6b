package diag

// Explanation is what a code means in more than a few words; `planec explain` prints it,
// and docs/diagnostics.md has it. What to do is the code's hint.
type Explanation struct {
	// Why says when it is found and why it matters.
	Why string
	// Example is what it is found in: a few lines of a manifest, or a command line.
	Example string
}

// Explain returns the explanation of the code, which an unknown code has none of.
func (c Code) Explain() Explanation {
	for _, part := range []map[Code]Explanation{aboutInput, aboutServices, aboutNodes, aboutPolicies, aboutLint, aboutPolicyLint} {
		if e, known := part[c]; known {
			return e
		}
	}
	return Explanation{}
}
