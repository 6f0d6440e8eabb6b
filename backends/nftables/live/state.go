package live

// State is planec's part of the kernel's ruleset, at one generation.
type State struct {
	Model *Model // planec's tables, as they were read
	// Generation counts the changes by all programs in the network namespace.
	Generation uint32
}
