package xtables

import "strings"

// Role is the purpose of a chain or a set, derived from its name. The emitters
// form names with the tables of this file. Code that reads a kernel calls
// [ChainRole] and [SetRole] instead of comparing names.
type Role uint8

// Roles of chains and of sets.
const (
	// Foreign is not planec's.
	Foreign Role = iota
	// Former has planec's prefix but no name of this version: another version left
	// it. planec may remove it.
	Former
	// Shared is a chain of the node or of many Services, or a set that rules
	// match.
	Shared
	// Next is a temporary set of an artifact, to be swapped in; see [FilledBy].
	Next
	// Aside is a temporary set of an apply, to be swapped in.
	Aside

	// Entry is a chain that a built-in chain jumps to; see [EntryOf].
	Entry
	// OneService is a chain that belongs to one Service, so a change of that
	// Service writes it without reading the others.
	OneService
	// BesideIPVS is a chain that only the ipvs backend has, in every artifact.
	BesideIPVS

	// Clients is a set that rules fill: the clients of an endpoint with affinity.
	Clients
	// Rejected and Dropped are sets of frontends without endpoints, by address.
	// Those of nodePorts have the two halves of the address space instead.
	Rejected
	Dropped
	RejectedNodePort
	DroppedNodePort
	// IngressPods and EgressPods are sets of the pods that policies select.
	IngressPods
	EgressPods
	// Virtual is a set of virtual services by address, protocol and port.
	Virtual
	// Routes is a set whose marks select virtual services.
	Routes
	// DeniedOwn is a set of virtual services with the pods that must not reach them.
	DeniedOwn
	// JournalKeys and JournalMarks are sets that name virtual services during an
	// apply; marks are written as IPv4 addresses.
	JournalKeys
	JournalMarks
)

// ChainPrefix and SetPrefix start the names of planec's chains and sets.
const (
	ChainPrefix = "PLC-"
	SetPrefix   = "plc-"
)

// The name of a chain of one Service is one of these prefixes and a hash.
const (
	FrontendChain = ChainPrefix + "X-"
	StepChain     = ChainPrefix + "S-"
	GroupChain    = ChainPrefix + "G-"
	EndpointChain = ChainPrefix + "E-"
)

// TranslatedChain is a chain of the ipvs backend in the mangle table.
const TranslatedChain = ChainPrefix + "TRANSLATED"

// Sets that are not in every artifact, or that no emitter writes.
const (
	// DeniedOwnSet follows the family.
	DeniedOwnSet = "denied-own"
	// ClientsSet precedes a hash and the family.
	ClientsSet = SetPrefix + "af-"
	// AsideSet precedes a hash.
	AsideSet = SetPrefix + "tmp-"
	// JournalKeysSet and JournalMarksSet precede the family.
	JournalKeysSet  = AsideSet + "own-"
	JournalMarksSet = AsideSet + "marks-"
)

// NewSuffix (iptables backend) and NextSuffix (ipvs backend) end the names of
// temporary sets, which an artifact fills and swaps in.
const (
	NewSuffix  = "-new"
	NextSuffix = "-next"
)

// FilledBy reports whether an artifact fills set through the temporary set aside.
func FilledBy(aside, set string) bool { return aside == set+NewSuffix || aside == set+NextSuffix }

// BuiltIn returns the built-in chains that may jump to planec's chains.
func BuiltIn() []string {
	return []string{"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}
}

// EntryOf returns the name of planec's chain that a built-in chain jumps to.
func EntryOf(builtIn string) string { return ChainPrefix + builtIn }

// chainRoles maps names without prefix to roles. A name that ends with "-" is the
// prefix of a longer name.
var chainRoles = map[string]Role{
	"PREROUTING": Entry, "INPUT": Entry, "FORWARD": Entry, "OUTPUT": Entry, "POSTROUTING": Entry,
	"X-": OneService, "S-": OneService, "G-": OneService, "E-": OneService,
	"TRANSLATED": BesideIPVS,
	// The iptables backend's.
	"SERVICES": Shared, "LAST-": Shared, "DST-": Shared, "NODEPORTS": Shared, "NP-": Shared, "NODEPORT-RANGES": Shared,
	"SOURCE-RANGES": Shared, "MARK-REMOTE": Shared, "UNSERVED": Shared, "INTERNAL-": Shared, "CLUSTER-IPS": Shared,
	"MASQUERADE": Shared, "EGRESS": Shared,
	// The ipvs backend's.
	"FROM-POD": Shared, "FROM-NODE": Shared, "INSIDE": Shared, "MARK": Shared, "UNCLAIMED": Shared, "VIPS": Shared,
	"ANSWERS": Shared, "TO-NODE": Shared,
	// Those of policies.
	"POLICY": Shared, "POLICY-INPUT": Shared, "INGRESS": Shared, "INGRESS-": Shared, "EGRESS-": Shared, "PODS-": Shared,
	"ROWS-": Shared, "ROW-": Shared, "PORTS-": Shared, "LOG-": Shared, "POLICY-OUTPUT": Shared, "OWN": Shared, "OWNS-": Shared,
}

// setRoles maps set names without prefix and family, like chainRoles: "plc-reject-4".
var setRoles = map[string]Role{
	"af-":    Clients,
	"reject": Rejected, "reject-internal": Rejected, "drop": Dropped, "drop-internal": Dropped,
	"np-reject": RejectedNodePort, "np-reject-internal": RejectedNodePort, "np-drop": DroppedNodePort, "np-drop-internal": DroppedNodePort,
	"restricted": Shared, "ranges": Shared, "cluster-ips": Shared, "hairpin": Shared, "health": Shared,
	"ingress-pods": IngressPods, "egress-pods": EgressPods, "own-pods": Shared,
	"ingress-denied": Shared, "egress-denied": Shared,
	"pods-bit-": Shared, "yes-": Shared, "not-": Shared, "row-": Shared,
}

// virtualRoles maps the set names of the ipvs backend: "plc-4-reject-inside".
var virtualRoles = map[string]Role{
	"services": Virtual, "routes-pods": Routes, "routes-node": Routes, DeniedOwnSet: DeniedOwn,
	"reject-inside": Rejected, "reject-outside": Rejected, "drop-inside": Dropped, "drop-outside": Dropped,
	"vips": Shared, "restricted": Shared, "ranges": Shared, "masq-pods": Shared, "masq-node": Shared, "masq-outside": Shared,
	"hairpin": Shared, "cluster-ips": Shared, "service-cidrs": Shared, "egress-exclusions": Shared, "health": Shared,
}

// ChainRole returns the role of the chain with the given name.
func ChainRole(name string) Role {
	rest, ours := strings.CutPrefix(name, ChainPrefix)
	if !ours {
		return Foreign
	}
	return lookup(chainRoles, rest)
}

// SetName is the information in a set's name.
type SetName struct {
	Role Role // Foreign if the name is not planec's
	IPv6 bool // whether the set is of the IPv6 family
	// IPVS is whether only the ipvs backend has such a set, not the iptables backend.
	IPVS bool
}

// SetRole parses the name of a set. A temporary set that is filled and swapped in
// has a role of its own.
func SetRole(name string) SetName {
	rest, ours := strings.CutPrefix(name, SetPrefix)
	if !ours {
		return SetName{}
	}
	if journal, ok := strings.CutPrefix(name, AsideSet); ok {
		switch what, family, _ := cutLast(journal); {
		case what == "own":
			return SetName{Role: JournalKeys, IPv6: family == "6", IPVS: true}
		case what == "marks":
			return SetName{Role: JournalMarks, IPv6: family == "6", IPVS: true}
		}
		return SetName{Role: Aside}
	}
	short, isNew := strings.CutSuffix(rest, NewSuffix)
	short, isNext := strings.CutSuffix(short, NextSuffix)
	var out SetName
	if family, what, ok := strings.Cut(short, "-"); ok && isFamily(family) {
		out = SetName{Role: lookup(virtualRoles, what), IPv6: family == "6", IPVS: true}
	} else if what, family, ok := cutLast(short); ok && isFamily(family) {
		out = SetName{Role: lookup(setRoles, what), IPv6: family == "6"}
	} else {
		return SetName{Role: Former}
	}
	if out.Role != Former && (isNew || isNext) {
		out.Role = Next
	}
	return out
}

func isFamily(s string) bool { return s == "4" || s == "6" }

func cutLast(s string) (before, after string, found bool) {
	at := strings.LastIndexByte(s, '-')
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+1:], true
}

// lookup finds a whole name, or its prefix up to a "-" that is not the end.
func lookup(roles map[string]Role, name string) Role {
	if r, ok := roles[name]; ok && !strings.HasSuffix(name, "-") {
		return r
	}
	for at := len(name) - 2; at > 0; at-- {
		if name[at] != '-' {
			continue
		}
		if r, ok := roles[name[:at+1]]; ok {
			return r
		}
	}
	return Former
}
