package layout

// Sizes in bytes.
const (
	ActiveSize        = 8
	AffinityKeySize   = 28
	AffinityValueSize = 32
)

// Slots is the number of generations: the active one and the one that receives the
// next image.
const Slots = 2

// Active is the only commit point: an array with one 64-bit number, the active slot in its
// lowest byte and the epoch above it. A program reads it once per run.
var active = Map{"active", Array, IndexSize, ActiveSize, Mmapable}

// The kinds of clients in an AffinityKey.
const (
	ClientAddress = 0
	// ClientNetns is the network namespace cookie of a socket whose source address
	// is not yet known during connect(2).
	ClientNetns = 1
)

// AffinityKey identifies a client of a Service port with affinity. The map is
// runtime state and not part of an image.
type AffinityKey struct {
	Service uint64  // Service.ID
	Client  Address // the source address, or the cookie in its first 8 bytes
	Kind    uint8   // ClientAddress or ClientNetns
	// Reserved is zero.
	Reserved [3]byte
}

// AffinityValue is the endpoint of a client, by address, so that it survives
// recompilation. It is valid while the route's pool has the endpoint, and until
// Service.Affinity seconds after Last.
type AffinityValue struct {
	Address  Address // the endpoint's address
	Port     Port    // the endpoint's port
	Reserved [2]byte // zero
	// Place is where the pool had the endpoint last: a program looks there first.
	Place uint32
	// Last is the CLOCK_MONOTONIC time of the last new connection, in
	// nanoseconds.
	Last uint64
}

var affinity = Map{"aff", LRUHash, AffinityKeySize, AffinityValueSize, 0}

// ActiveMap returns the map that selects the active generation.
func ActiveMap() Map { return active }

// ActiveValue is the value of active, and ActiveParts takes it apart.
func ActiveValue(slot uint8, epoch uint64) uint64 { return epoch<<8 | uint64(slot) }

// ActiveParts returns the slot and the epoch of a value of active.
func ActiveParts(v uint64) (slot uint8, epoch uint64) { return uint8(v), v >> 8 }

// AffinityMap returns the map of affinity bindings. The agent chooses its size.
func AffinityMap() Map { return affinity }
