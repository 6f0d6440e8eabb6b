package ebpf

import (
	"cmp"
	"slices"

	"github.com/planec/planec/ir"
)

// Symbol is the name and the origin of an entry.
type Symbol struct {
	// Name is an ID of the program; it may be empty.
	Name   string
	Origin ir.Origin // the object that the entry was made of
}

// Symbols are the names and origins of an image's entries. They are not part of any
// map's digest, because they have no effect in the kernel. A nil *Symbols is empty.
type Symbols struct {
	strings []string
	records []symbolRecord
}

// symbolKind is the kind of entry that a symbol describes; it determines the
// meaning of the reference.
type symbolKind uint8

// The kinds in the order of the records.
const (
	nodeSymbol        symbolKind = iota + 1 // 0
	masqueradeSymbol                        // 0
	serviceSymbol                           // index in svc
	poolSymbol                              // index of its first endpoint in ep
	endpointSymbol                          // index in ep
	sourceSymbol                            // set of prefix
	profileSymbol                           // index in pod of its first pod
	podSymbol                               // index in pod
	classSymbol                             // index in class of its first prefix
	peerSymbol                              // index in class
	routeSymbol                             // twice the index in svc, and one more for the external route
	nodeProfileSymbol                       // 0
)

// originStrings is the number of strings of an origin.
const originStrings = 5

// symbolRecord is one symbol; strings are indexes into Symbols.strings.
type symbolRecord struct {
	kind   symbolKind
	ref    uint32
	name   uint32
	origin [originStrings]uint32
	line   uint32
}

func (r symbolRecord) compare(o symbolRecord) int {
	return cmp.Or(cmp.Compare(r.kind, o.kind), cmp.Compare(r.ref, o.ref))
}

// Node returns the name of the node that the image is for.
func (s *Symbols) Node() string { return s.find(nodeSymbol, 0).Name }

// Masquerade returns the origin of the node's egress masquerade.
func (s *Symbols) Masquerade() Symbol { return s.find(masqueradeSymbol, 0) }

// Service returns the symbol of entry i of svc: the frontend's ID.
func (s *Symbols) Service(i int) Symbol { return s.find(serviceSymbol, uint32(i)) }

// Pool returns the symbol of the pool that starts at base.
func (s *Symbols) Pool(base uint32) Symbol { return s.find(poolSymbol, base) }

// Route returns the symbol of the pool of a route of entry i of svc, and from where the
// symbols of its endpoints are: an equal pool of another Service may have the same
// endpoints, which have been made of other objects.
func (s *Symbols) Route(i int, external bool, base uint32) (pool Symbol, endpoints uint32) {
	own := s.find(routeSymbol, routeRef(uint32(i), external))
	if own.Name == "" {
		return s.Pool(base), base
	}
	return Symbol{Name: own.Name}, uint32(own.Origin.Line)
}

func routeRef(at uint32, external bool) uint32 {
	if external {
		return 2*at + 1
	}
	return 2 * at
}

// Endpoint returns the symbol of entry i of ep, which has only an origin; of a route, see Route.
func (s *Symbols) Endpoint(i uint32) Symbol { return s.find(endpointSymbol, i) }

// SourceSet returns the symbol of a set of source ranges: the ID of the first
// frontend that uses it.
func (s *Symbols) SourceSet(set uint32) Symbol { return s.find(sourceSymbol, set) }

// Profile returns the symbol of a profile, by the index of its first entry in pod:
// its ID, and the origin of the first policy that selects the pods.
func (s *Symbols) Profile(first int) Symbol { return s.find(profileSymbol, uint32(first)) }

// NodeProfile returns the symbol of the profile of the node itself.
func (s *Symbols) NodeProfile() Symbol { return s.find(nodeProfileSymbol, 0) }

// Pod returns the symbol of entry i of pod: its namespace and name.
func (s *Symbols) Pod(i int) Symbol { return s.find(podSymbol, uint32(i)) }

// Class returns the symbol of a class, by the index of its first entry in class:
// its address sets, and the origin of the first rule that names one of them.
func (s *Symbols) Class(first int) Symbol { return s.find(classSymbol, uint32(first)) }

// Peer returns the symbol of entry i of class if it is a single pod or node: its
// name.
func (s *Symbols) Peer(i int) Symbol { return s.find(peerSymbol, uint32(i)) }

func (s *Symbols) find(kind symbolKind, ref uint32) Symbol {
	if s == nil {
		return Symbol{}
	}
	i, ok := slices.BinarySearchFunc(s.records, symbolRecord{kind: kind, ref: ref}, symbolRecord.compare)
	if !ok {
		return Symbol{}
	}
	r := &s.records[i]
	o := &r.origin
	return Symbol{Name: s.strings[r.name], Origin: ir.Origin{
		Kind: s.strings[o[0]], Namespace: s.strings[o[1]], Name: s.strings[o[2]],
		Path: s.strings[o[3]], File: s.strings[o[4]], Line: int(r.line),
	}}
}
