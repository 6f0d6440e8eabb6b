package xtables

import "strings"

// Role is what a chain or a set is for. Its name says it: the emitters make names
// by the tables of this file, and what reads a kernel asks [ChainRole] and
// [SetRole] instead of comparing names.
type Role uint8

// Roles of chains and of sets.
const (
	// Foreign is not planec's.
	Foreign Role = iota
	// Former has planec's prefix, and nothing that this version writes is called
	// so. It is planec's to remove.
	Former
	// Shared is a chain of the node or of many Services, or a set that rules look
	// into.
	Shared
	// Next is a set that an artifact fills to swap it in, as [FilledBy] says.
	Next
	// Aside is a set that an apply fills to swap it in.
	Aside

	// Entry is a chain that one jump of a built-in chain leads to, see [EntryOf].
	Entry
	// OneService is a chain that a change of one Service writes, without a look
	// at the others.
	OneService
	// BesideIPVS is a chain that the ipvs backend alone has, in every artifact.
	BesideIPVS

	// Clients is a set that rules fill: who has been given an endpoint.
	Clients
	// Rejected and Dropped are sets of frontends without endpoints, by address;
	// those of nodePorts have halves of all addresses there.
	Rejected
	Dropped
	RejectedNodePort
	DroppedNodePort
	// IngressPods and EgressPods are sets of the pods that policies judge.
	IngressPods
	EgressPods
	// Virtual is a set of virtual services by address, protocol and port.
	Virtual
	// Routes is a set whose marks select virtual services.
	Routes
	// DeniedOwn is a set of virtual services with pods that must not reach them.
	DeniedOwn
	// JournalKeys and JournalMarks are sets that name virtual services while an
	// apply is on its way; marks are written as IPv4 addresses.
	JournalKeys
	JournalMarks
)

// ChainPrefix starts the names of planec's chains, and SetPrefix those of its sets.
const (
	ChainPrefix = "PLC-"
	SetPrefix   = "plc-"
)

// The chains of one Service are called by these and a hash.
const (
	FrontendChain = ChainPrefix + "X-"
	StepChain     = ChainPrefix + "S-"
	GroupChain    = ChainPrefix + "G-"
	EndpointChain = ChainPrefix + "E-"
)

// TranslatedChain is the ipvs backend's, in the table mangle.
const TranslatedChain = ChainPrefix + "TRANSLATED"

// Sets that are not in every artifact, or that emitters do not write.
const (
	// DeniedOwnSet follows the family.
	DeniedOwnSet = "denied-own"
	// ClientsSet is followed by a hash and the family.
	ClientsSet = SetPrefix + "af-"
	// AsideSet is followed by a hash.
	AsideSet = SetPrefix + "tmp-"
	// JournalKeysSet and JournalMarksSet are followed by the family.
	JournalKeysSet  = AsideSet + "own-"
	JournalMarksSet = AsideSet + "marks-"
)

// NewSuffix and NextSuffix end the names of sets that artifacts fill and swap in:
// those of the iptables backend and of the ipvs backend.
const (
	NewSuffix  = "-new"
	NextSuffix = "-next"
)

// FilledBy reports whether an artifact fills a set by way of the one called aside.
func FilledBy(aside, set string) bool { return aside == set+NewSuffix || aside == set+NextSuffix }

// builtIn are the chains of the kernel that have an entry.
var builtIn = []string{"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"}

// BuiltIn lists the chains of the kernel that planec's may be entered from.
func BuiltIn() []string { return append([]string(nil), builtIn...) }

// EntryOf is planec's chain that packets of a built-in chain enter.
func EntryOf(builtIn string) string { return ChainPrefix + builtIn }

// chainRoles are of names without the prefix; one that ends with "-" is followed by
// something.
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
	"ROWS-": Shared, "ROW-": Shared, "PORTS-": Shared,
}

// setRoles are of names without prefix and family, as chainRoles: "plc-reject-4".
var setRoles = map[string]Role{
	"af-":    Clients,
	"reject": Rejected, "reject-internal": Rejected, "drop": Dropped, "drop-internal": Dropped,
	"np-reject": RejectedNodePort, "np-reject-internal": RejectedNodePort, "np-drop": DroppedNodePort, "np-drop-internal": DroppedNodePort,
	"restricted": Shared, "ranges": Shared, "cluster-ips": Shared, "hairpin": Shared, "health": Shared,
	"ingress-pods": IngressPods, "egress-pods": EgressPods,
	"pods-bit-": Shared, "yes-": Shared, "not-": Shared, "row-": Shared,
}

// virtualRoles are those of the ipvs backend: "plc-4-reject-inside".
var virtualRoles = map[string]Role{
	"services": Virtual, "routes-pods": Routes, "routes-node": Routes, DeniedOwnSet: DeniedOwn,
	"reject-inside": Rejected, "reject-outside": Rejected, "drop-inside": Dropped, "drop-outside": Dropped,
	"vips": Shared, "restricted": Shared, "ranges": Shared, "masq-pods": Shared, "masq-node": Shared, "masq-outside": Shared,
	"hairpin": Shared, "cluster-ips": Shared, "service-cidrs": Shared, "egress-exclusions": Shared, "health": Shared,
}

// ChainRole is the role of a chain, by its name.
func ChainRole(name string) Role {
	rest, ours := strings.CutPrefix(name, ChainPrefix)
	if !ours {
		return Foreign
	}
	return lookup(chainRoles, rest)
}

// SetName is what a set's name says.
type SetName struct {
	Role Role
	IPv6 bool
	// IPVS is whether it is a set of the ipvs backend that the iptables backend
	// does not have.
	IPVS bool
}

// SetRole is what a set's name says. A set that is filled to be swapped in has its
// own role.
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

// lookup finds a whole name, or the one up to a "-" that something follows.
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
