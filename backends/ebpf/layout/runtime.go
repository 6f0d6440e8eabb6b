package layout

// Sizes in bytes.
const (
	ActiveSize        = 8
	AffinityKeySize   = 28
	AffinityValueSize = 32
)

// Slots is how many generations there are: the one that serves and the one that
// the next image is written to.
const Slots = 2

// Active is the only commit point: an array of one 64-bit number, the slot that
// programs use. A program reads it once a run.
var active = Map{"active", Array, IndexSize, ActiveSize, Mmapable}

// The kinds of client of an AffinityKey.
const (
	ClientAddress = 0
	// ClientNetns is the network namespace cookie of a socket, of which the
	// source address is not known yet when it connects.
	ClientNetns = 1
)

// AffinityKey binds a client of a Service port to an endpoint, in a map of
// running state that is in no image.
type AffinityKey struct {
	Service uint64  // Service.ID
	Client  Address // the source address, or the cookie in its first 8 bytes
	Kind    uint8   // ClientAddress or ClientNetns
	// Reserved is zero.
	Reserved [3]byte
}

// AffinityValue is the endpoint: its address, so that the binding survives
// every recompilation. It holds while ep_ok has the endpoint in the pool of the
// route, and until Service.Affinity seconds after Last.
type AffinityValue struct {
	Address  Address // the endpoint's address
	Port     Port    // the endpoint's port
	Reserved [6]byte // zero
	// Last is the CLOCK_MONOTONIC time of the last new connection, in
	// nanoseconds.
	Last uint64
}

var affinity = Map{"aff", LRUHash, AffinityKeySize, AffinityValueSize, 0}

// ActiveMap returns the map that says which generation serves.
func ActiveMap() Map { return active }

// AffinityMap returns the map of affinity bindings. How many it holds is the
// agent's choice.
func AffinityMap() Map { return affinity }
