package nftables

import (
	"slices"
	"strconv"
	"strings"
)

// Role is the purpose of a chain, a set or a map in planec's tables. Names are for
// people; programs call [RoleOfChain] or [RoleOfSet].
type Role uint8

// The roles of sets and maps, followed by those of chains.
const (
	// NoRole is the role of a name that this backend does not use.
	NoRole Role = iota

	// Frontends maps a frontend to its verdict.
	Frontends
	// Endpoints maps an index or an affinity ID to an endpoint.
	Endpoints
	// LargeEndpoints maps an index of a large pool to an endpoint. The map exists while it
	// has elements (target.go).
	LargeEndpoints
	// ServiceIDs maps a frontend to the affinity ID of its Service. IDs are hashes; to
	// move one of two equal IDs, the backend must see both Services.
	ServiceIDs
	// Draws are the chains and IDs with which affinity draws an endpoint.
	Draws
	// Bindings are what packets fill: affinity, the marks that it saves, and the pods
	// whose connections are translated; and the pods that have programs, which are filled
	// by who attaches those.
	Bindings
	// Refusals are frontends, addresses and sources with special treatment: refused,
	// restricted, hairpin.
	Refusals
	// NodeFacts holds the node's settings, which every fragment of a program
	// repeats.
	NodeFacts
	// Classes maps a peer of policies to its class.
	Classes
	// EgressPods and IngressPods map each pod that policies of the direction select
	// to the chain of its profile.
	EgressPods
	IngressPods
	// Answering holds the addresses of those pods, for packets in the opposite direction.
	Answering
	// ProfileRows maps the classes of one profile and direction to rows.
	ProfileRows

	// Hook is a base chain for Services.
	Hook
	// Dispatch is a chain that finds frontends or refuses packets.
	Dispatch
	// Split is a chain that separates local sources from all others.
	Split
	// Marking is a chain that marks packets for masquerade.
	Marking
	// StandingPick draws one of as many endpoints as its name says. The chain stays
	// when no element leads to it (target.go).
	StandingPick
	// Choosing draws or remembers an endpoint. The chain exists while elements lead to it.
	Choosing
	// PolicyHook is a base chain for policies.
	PolicyHook
	// Judged accepts what programs at interfaces have judged.
	Judged
	// Peer finds the class of the connection's other end.
	Peer
	// Profile judges the packets of one profile and direction.
	Profile
	// Row judges by protocol and port.
	Row
)

// OfPolicy reports whether a chain or a set belongs to policies. No element or
// rule links it with those of Services.
func (r Role) OfPolicy() bool {
	return slices.Contains([]Role{Classes, EgressPods, IngressPods, Answering, ProfileRows, PolicyHook, Judged, Peer, Profile, Row}, r)
}

// ByElements reports whether only elements lead to a chain, directly or through other
// such chains. It is added and removed with them.
func (r Role) ByElements() bool {
	return slices.Contains([]Role{Split, Marking, StandingPick, Choosing}, r)
}

// The words in the names of chains.
const (
	splitWord  = "local-"
	markWord   = "masquerade-"
	remoteWord = "remote-"
	pickWord   = "pick-"
	stickWord  = "affinity-"
	rebindWord = "rebind-"
	drawWord   = "draw-"
	rowWord    = "row-"
	logWord    = "log-"
)

// RoleOfSet returns the role of a set or a map by its name.
func RoleOfSet(name string) Role {
	switch name {
	case "services", "nodeports":
		return Frontends
	case "affinity", "affinity-saved-marks", TranslatedPods, CoveredPods, WatchedPods, GuardedInterfaces:
		return Bindings
	case "unserved", "unserved-nodeports", "restricted", "restricted-nodeports", "source-ranges", "nodeport-source-ranges", "hairpin", "cluster-ips":
		return Refusals
	case "local-sources", "nodeport-addresses", "nodeport-prefixes", "service-cidrs", "masquerade-exclusions":
		return NodeFacts
	case "hosts", "networks":
		return Classes
	}
	for _, d := range directions {
		switch {
		case name == d.ir.String():
			return d.pods
		case name == d.ir.String()+podsWord:
			return Answering
		case strings.HasPrefix(name, d.prefix):
			return ProfileRows
		}
	}
	switch withoutScope(name) {
	case "endpoints", "affinity-endpoints":
		return Endpoints
	case "affinity-services":
		return ServiceIDs
	case "affinity-draws", "affinity-slots":
		return Draws
	}
	if strings.HasPrefix(name, largeWord) {
		return LargeEndpoints
	}
	return NoRole
}

// RoleOfChain returns the role of a chain by its name.
func RoleOfChain(name string) Role {
	switch name {
	case "raw-prerouting", "filter-prerouting", "filter-pre-output", "filter-input", "filter-forward", "filter-output", "nat-prerouting", "nat-output", "nat-postrouting":
		return Hook
	case "services", "nodeports", "source-ranges", "unserved", "unserved-nodeports", "cluster-ips":
		return Dispatch
	case policyInput, policyOwn, nodeInput, nodeOutput:
		return PolicyHook
	case judgedChain:
		return Judged
	}
	for _, d := range directions {
		switch {
		case name == d.chain:
			return PolicyHook
		case name == d.peerChain:
			return Peer
		case strings.HasPrefix(name, d.prefix):
			return Profile
		}
	}
	switch {
	case strings.HasPrefix(name, rowWord), strings.HasPrefix(name, logWord):
		return Row
	case strings.HasPrefix(name, splitWord):
		return Split
	}
	rest, marks := strings.CutPrefix(name, markWord)
	if marks {
		rest = strings.TrimPrefix(rest, remoteWord)
	}
	switch act, n := ending(withoutScope(rest)); {
	case act == "":
		return NoRole
	case marks:
		return Marking
	case rest == pickWord+strconv.Itoa(n) && n >= 1 && n <= standing:
		return StandingPick
	}
	return Choosing
}

// ending splits the name of a step or a draw: "pick-3" is "pick-" and 3.
func ending(name string) (act string, n int) {
	for _, word := range []string{pickWord, stickWord, rebindWord, drawWord} {
		if number, ok := strings.CutPrefix(name, word); ok {
			if n, err := strconv.ParseUint(number, 10, 32); err == nil {
				return word, int(n)
			}
		}
	}
	return "", 0
}

// withoutScope removes the words of [scope.prefix] from a name.
func withoutScope(name string) string {
	for s := scope(scopes - 1); s > 0; s-- {
		if rest, ok := strings.CutPrefix(name, s.prefix()); ok {
			return rest
		}
	}
	return name
}

// ProfileOf returns the ID of the chain's profile, or "".
func ProfileOf(chain string) string {
	for _, d := range directions {
		if id, ok := strings.CutPrefix(chain, d.prefix); ok {
			return id
		}
	}
	return ""
}
