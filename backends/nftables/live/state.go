package live

// State is what the kernel has of planec's, at one generation of the ruleset.
type State struct {
	*Model
	// Generation counts every change by anybody in the network namespace.
	Generation uint32
}
