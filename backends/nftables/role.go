package nftables

import (
	"strconv"
	"strings"
)

// Role is what a chain, a set or a map of planec's tables is there for. Names are for
// people; a program that has to know asks [RoleOfChain] or [RoleOfSet].
type Role uint8

// The roles of sets and maps, then those of chains.
const (
	// NoRole is that of a name which this backend does not give.
	NoRole Role = iota

	// Frontends gives each frontend its verdict.
	Frontends
	// Endpoints has the endpoints of frontends, by index or by affinity ID.
	Endpoints
	// ServiceIDs gives frontends the affinity ID of their Service. IDs are hashes;
	// where two are equal the backend moves one, and for that it must see both Services.
	ServiceIDs
	// Draws are the chains and IDs by which affinity draws an endpoint.
	Draws
	// Bindings are filled by packets: affinity and what it keeps meanwhile.
	Bindings
	// Refusals are frontends, addresses and sources that are treated apart from the way
	// to their endpoints: refused, restricted, hairpin.
	Refusals
	// NodeFacts has what the node's settings say, the same in every fragment of a
	// program.
	NodeFacts
	// Classes gives peers of policies their class.
	Classes
	// EgressPods and IngressPods give each pod that policies of the direction select
	// the chain of its profile.
	EgressPods
	IngressPods
	// Answering has the addresses of those pods, for packets from the other end.
	Answering
	// ProfileRows gives the classes of one profile and direction their row.
	ProfileRows

	// Hook is a chain that the kernel calls for Services.
	Hook
	// Dispatch is a chain that finds frontends, or refuses packets.
	Dispatch
	// Split sends local sources one way and all others another.
	Split
	// Marking has the packets of its connections masqueraded.
	Marking
	// StandingPick draws an endpoint of as many as its name says, and stays when no
	// element leads to it (standing.go).
	StandingPick
	// Choosing draws or remembers an endpoint, and is there while elements lead to it.
	Choosing
	// PolicyHook is a chain that the kernel calls for policies.
	PolicyHook
	// Peer finds the class of the other end of a connection.
	Peer
	// Profile judges the packets of one profile and direction.
	Profile
	// Row judges by protocol and port.
	Row
)

// OfPolicy reports whether a chain or a set is about policies: nothing of Services
// leads there, or away from there.
func (r Role) OfPolicy() bool {
	switch r {
	case Classes, EgressPods, IngressPods, Answering, ProfileRows, PolicyHook, Peer, Profile, Row:
		return true
	}
	return false
}

// ByElements reports whether only elements lead to a chain, directly or by other such
// chains, so that it comes and goes with them.
func (r Role) ByElements() bool {
	switch r {
	case Split, Marking, StandingPick, Choosing:
		return true
	}
	return false
}

// The words that names of chains are made of.
const (
	splitWord  = "local-"
	markWord   = "masquerade-"
	remoteWord = "remote-"
	pickWord   = "pick-"
	stickWord  = "affinity-"
	rebindWord = "rebind-"
	drawWord   = "draw-"
	rowWord    = "row-"
)

// RoleOfSet returns the role of a set or a map by its name.
func RoleOfSet(name string) Role {
	switch name {
	case "services", "nodeports":
		return Frontends
	case "affinity", "affinity-saved-marks":
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
	return NoRole
}

// RoleOfChain returns the role of a chain by its name.
func RoleOfChain(name string) Role {
	switch name {
	case "filter-prerouting", "filter-pre-output", "filter-input", "filter-forward", "filter-output", "nat-prerouting", "nat-output", "nat-postrouting":
		return Hook
	case "services", "nodeports", "source-ranges", "unserved", "unserved-nodeports", "cluster-ips":
		return Dispatch
	case policyInput:
		return PolicyHook
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
	case strings.HasPrefix(name, rowWord):
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

// ending takes the name of a step or a draw apart: "pick-3" is "pick-" and 3.
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

// withoutScope is a name without the words of [scope.prefix].
func withoutScope(name string) string {
	for s := scope(scopes - 1); s > 0; s-- {
		if rest, ok := strings.CutPrefix(name, s.prefix()); ok {
			return rest
		}
	}
	return name
}

// ProfileOf returns the ID of the profile that a chain is of, or "".
func ProfileOf(chain string) string {
	for _, d := range directions {
		if id, ok := strings.CutPrefix(chain, d.prefix); ok {
			return id
		}
	}
	return ""
}
