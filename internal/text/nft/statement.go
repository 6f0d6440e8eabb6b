package nft

import (
	"net/netip"
	"time"
)

// Verdict is what a rule or an element decides.
type Verdict uint8

// The verdicts. Reject is of rules only.
const (
	NoVerdict Verdict = iota
	Accept
	Drop
	Reject
	Return
	Jump
	Goto
)

// Leads reports whether the verdict names a chain.
func (v Verdict) Leads() bool { return v == Jump || v == Goto }

// verdicts are nft's words for them.
var verdicts = map[string]Verdict{"accept": Accept, "drop": Drop, "reject": Reject, "return": Return, "jump": Jump, "goto": Goto}

// Rule is one rule.
type Rule struct {
	// Text is the line without its indentation.
	Text string
	// Statements are taken in their order, until one does not match.
	Statements []Statement
	// Comment is what the text says about the rule, and Commented whether it does.
	Comment   string
	Commented bool
}

// Statement is one of the types below. Sets that statements name are those of the
// rule's table, and the keys that look something up there are of their types.
type Statement interface{ statement() }

// The statements that match packets.
type (
	// InSet is "KEY [!=] @set".
	InSet struct {
		Key    []Field // what is looked up
		Set    *Set    // a set, not a map
		Negate bool    // whether the packet must not be in it
	}
	// InPrefix is "ip saddr|daddr PREFIX".
	InPrefix struct {
		Field  Field        // the source or the destination address
		Prefix netip.Prefix // of the table's family
	}
	// InState is "ct state ...": the state is one of these.
	InState struct{ New, Invalid, Established, Related, Untracked bool }
	// HasDNAT is "ct status dnat".
	HasDNAT struct{}
	// NoSYN is "tcp flags ! syn".
	NoSYN struct{}
	// OfProtocol is "meta l4proto PROTO".
	OfProtocol struct{ Protocol Protocol }
	// ToPorts is "PROTO dport ...".
	ToPorts struct {
		Protocol Protocol // TCP, UDP or SCTP
		// Ranges ascend and do not overlap.
		Ranges []Range
		// Listed is whether they stand in braces, which nft makes a set of.
		Listed bool
	}
	// FromPorts is "PROTO sport ...".
	FromPorts struct {
		Protocol Protocol // TCP, UDP or SCTP
		Ranges   []Range  // as those of ToPorts
		Listed   bool     // whether they stand in braces
	}
	// OfTypes is "icmp type ..." or "icmpv6 type ...".
	OfTypes struct {
		Protocol Protocol // ICMP or ICMPv6
		Types    Range
	}
	// StartsWith is "@th,0,16 ...": the first 16 bits of the transport header. In ICMP
	// and ICMPv6, they are type and code.
	StartsWith struct{ Values Range }
	// IsLocal is "fib saddr|daddr type [!=] local".
	IsLocal struct{ Dest, Negate bool }
	// FromInterface is `iifname [!=] "name"`; with Prefix it is `"name*"`.
	FromInterface struct {
		Name           string // the name, or its start
		Prefix, Negate bool   // whether Name is a start; whether the name must be another one
	}
	// HasMark is "meta mark & M == M": all of these bits.
	HasMark struct{ Bits uint32 }
	// AtLeast is "meta mark|priority >= N".
	AtLeast struct {
		Field Field  // the mark or the priority
		Least uint32 // the lowest value that matches
	}
)

// The statements that decide.
type (
	// Decide is a verdict; Chain is where it leads, if anywhere.
	Decide struct {
		Verdict Verdict // never NoVerdict
		Chain   string  // "" unless the verdict leads somewhere
	}
	// DecideBy is "KEY vmap @map": the verdict of the key, if it has one.
	DecideBy struct {
		Key []Field // what is looked up
		Set *Set    // a map to verdicts
	}
	// DNAT is "dnat to KEY map @map": the destination becomes the key's address and
	// port, if it has those, and the packet is accepted.
	DNAT struct {
		Key []Field // what is looked up
		Set *Set    // a map to addresses and ports
	}
	// Log is `log prefix "..."`: a line in the kernel's log, and the rule goes on.
	Log struct {
		Prefix string // printable, without quotes and backslashes
	}
	// Notrack is "notrack": the connection of the packet is not tracked.
	Notrack struct{}
	// Masquerade is "masquerade fully-random": the packet is accepted.
	Masquerade struct{}
)

// The statements that write to packets and maps.
type (
	// CombineMark is "meta mark set meta mark |" or "^ BITS".
	CombineMark struct {
		Xor  bool   // whether bits are inverted, and not set
		Bits uint32 // the bits of the mark
	}
	// HashMark is "meta mark set jhash KEY mod N seed S": the mark becomes a hash that
	// is less than Modulus, which is not 0.
	HashMark struct {
		Key           []Field // what is hashed
		Modulus, Seed uint32  // the hash is below Modulus and depends on Seed
	}
	// SetPriority is "meta priority set CLASS".
	SetPriority struct{ Class uint32 }
	// SetFromMap is "meta mark|priority set KEY map @map": what the map has for the
	// key, if it has something.
	SetFromMap struct {
		Field Field   // the mark or the priority
		Key   []Field // what is looked up
		Set   *Set    // a map to numbers
	}
	// Update is "update @map { KEY [timeout T] : FIELD }", or with Delete "delete ...",
	// or "update @set { KEY [timeout T] }". The map or the set is dynamic.
	Update struct {
		Delete  bool          // whether the element goes
		Set     *Set          // a dynamic map or set
		Key     []Field       // the element's key
		Timeout time.Duration // 0 is the map's own
		Data    Field         // what the map has for the key; unused with Delete, and none in a set
	}
)

// Range is a range of numbers, ends included.
type Range struct{ First, Last uint16 }

func (InSet) statement()         {}
func (InPrefix) statement()      {}
func (InState) statement()       {}
func (HasDNAT) statement()       {}
func (NoSYN) statement()         {}
func (OfProtocol) statement()    {}
func (ToPorts) statement()       {}
func (FromPorts) statement()     {}
func (OfTypes) statement()       {}
func (StartsWith) statement()    {}
func (Log) statement()           {}
func (IsLocal) statement()       {}
func (FromInterface) statement() {}
func (HasMark) statement()       {}
func (AtLeast) statement()       {}
func (Decide) statement()        {}
func (DecideBy) statement()      {}
func (DNAT) statement()          {}
func (Masquerade) statement()    {}
func (Notrack) statement()       {}
func (CombineMark) statement()   {}
func (HashMark) statement()      {}
func (SetPriority) statement()   {}
func (SetFromMap) statement()    {}
func (Update) statement()        {}
