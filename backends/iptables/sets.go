package iptables

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
	"strconv"

	"github.com/planec/planec/backends/xtables"
)

// set is one ipset. The name, type and limits of a set never change, because ipset
// accepts "create -exist" only for an identical set.
type set struct {
	name, kind string
	elems      []byte
	// binds marks sets whose elements are added by rules; a load keeps these elements.
	binds bool
	// limit is the maximum number of elements; "" means maxElements.
	limit string
}

const (
	// maxElements is far above the need of any program; ipset allocates memory on demand.
	maxElements = "16777216"
	// maxBindings is the maximum number of clients bound to one endpoint.
	maxBindings = "1048576"
	// minHash is the kernel's minimum number of hash buckets.
	minHash = 64
)

// sets are the sets of one family.
type sets struct {
	family
	// The fixed sets: every load creates them, even if they are empty.
	restricted, ranges               set
	reject, drop                     set
	rejectInternal, dropInternal     set
	nodePortReject, nodePortDrop     set
	npRejectInternal, npDropInternal set
	clusterIPs, hairpin, health      set
	// policy has the sets that policy rules match; hashes are part of their names.
	policy   []set
	bindings []set
}

func newSets(f family) sets {
	of := func(name, kind string) set { return set{name: xtables.SetPrefix + name + f.suffix, kind: kind} }
	const frontend, nodePort = "hash:ip,port", "hash:net,port"
	return sets{
		family:     f,
		restricted: of("restricted-", frontend), ranges: of("ranges-", "hash:ip,port,net"),
		reject: of("reject-", frontend), drop: of("drop-", frontend),
		rejectInternal: of("reject-internal-", frontend), dropInternal: of("drop-internal-", frontend),
		nodePortReject: of("np-reject-", nodePort), nodePortDrop: of("np-drop-", nodePort),
		npRejectInternal: of("np-reject-internal-", nodePort), npDropInternal: of("np-drop-internal-", nodePort),
		clusterIPs: of("cluster-ips-", "hash:ip"), hairpin: of("hairpin-", "hash:ip,port,ip"),
		health: of("health-", nodePort),
	}
}

func (s *sets) fixed() []*set {
	return []*set{
		&s.restricted, &s.ranges, &s.reject, &s.drop, &s.rejectInternal, &s.dropInternal,
		&s.nodePortReject, &s.nodePortDrop, &s.npRejectInternal, &s.npDropInternal, &s.clusterIPs, &s.hairpin, &s.health,
	}
}

// swapped returns the sets whose elements a load replaces.
func (s *sets) swapped() []*set {
	all := s.fixed()
	for i := range s.policy {
		all = append(all, &s.policy[i])
	}
	return all
}

func (s *set) used() bool { return len(s.elems) > 0 }

// next begins an element; end finishes it.
func (s *set) next() []byte {
	return append(append(append(s.elems, "add "...), s.name...), freshSuffix...)
}

func (s *set) end(b []byte) { s.elems = append(b, '\n') }

// freshSuffix ends the name of the temporary set that is filled and then swapped in.
const freshSuffix = xtables.NewSuffix + " "

// appendTo writes the sets. Each set is swapped in as a whole, so that rules see
// either the old elements or the new ones.
func (s *sets) appendTo(b []byte) []byte {
	for _, x := range s.swapped() {
		b = x.appendCreate(b, "", s.family)
		if !x.used() {
			b = append(b, "flush "+x.name+"\n"...)
			continue
		}
		b = x.appendCreate(b, xtables.NewSuffix, s.family)
		b = append(b, "flush "+x.name+xtables.NewSuffix+"\n"...)
		b = append(b, x.elems...)
		b = append(b, "swap "+x.name+freshSuffix+x.name+"\ndestroy "+x.name+xtables.NewSuffix+"\n"...)
	}
	slices.SortFunc(s.bindings, func(x, y set) int { return bytes.Compare([]byte(x.name), []byte(y.name)) })
	for i := range s.bindings {
		b = s.bindings[i].appendCreate(b, "", s.family)
	}
	return b
}

func (s *set) appendCreate(b []byte, suffix string, f family) []byte {
	b = append(b, "create "+s.name+suffix+" "+s.kind+" family "+f.inet+" hashsize "...)
	b = strconv.AppendInt(b, s.hashSize(), 10)
	if s.binds {
		return append(b, " maxelem "+maxBindings+" timeout 0 -exist\n"...)
	}
	return append(b, " maxelem "+cmp.Or(s.limit, maxElements)+" -exist\n"...)
}

// hashSize returns a power of two that is large enough that the kernel does not
// have to grow the set while it is filled.
func (s *set) hashSize() int64 {
	n := bytes.Count(s.elems, []byte{'\n'})
	if n <= minHash {
		return minHash
	}
	return 1 << bits.Len(uint(n-1))
}

// appendCleanTo destroys every set of planec, including sets that may not exist.
func (s *sets) appendCleanTo(b []byte) []byte {
	all := s.swapped()
	for i := range s.bindings {
		all = append(all, &s.bindings[i])
	}
	for _, x := range all {
		empty := *x
		empty.elems = nil
		b = empty.appendCreate(b, "", s.family)
		b = append(b, "destroy "+x.name+"\n"...)
	}
	return b
}
