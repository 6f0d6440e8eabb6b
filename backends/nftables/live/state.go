package live

// State is planec's part of the kernel's ruleset, at one generation.
type State struct {
	*Model
	// Generation counts the changes by all programs in the network namespace.
	Generation uint32
}
