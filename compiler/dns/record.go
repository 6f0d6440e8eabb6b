package dns

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/planec/planec/ir"
)

// Type is the type of a record (RFC 1035, 2782, 3596).
type Type string

// The types of the records that there are.
const (
	A     Type = "A"
	AAAA  Type = "AAAA"
	CNAME Type = "CNAME"
	PTR   Type = "PTR"
	SRV   Type = "SRV"
	TXT   Type = "TXT"
)

// Record is one resource record of class IN.
type Record struct {
	Name string // the whole name in lower case, with its last dot
	Type Type   // one of the constants
	TTL  uint32 // seconds for which an answer may be kept
	// Address is the answer of A and AAAA.
	Address netip.Addr
	// Target is the name that CNAME, PTR and SRV lead to, with its last dot.
	Target string
	// Weight and Port belong to SRV, whose priority is always 0.
	Weight, Port uint16
	Text         string    // the answer of TXT, without characters that need an escape
	Origin       ir.Origin // the object that the record is made of; empty for TXT
}

// Zone is a part of the tree of names with its records.
type Zone struct {
	Name    string   // the name above all records, with its last dot
	Records []Record // sorted by name from the right, then type, then answer; none twice
}

// compare orders records by name, label by label from the right, so that what is below a
// name follows it; then by type and answer.
func (r *Record) compare(o *Record) int {
	return cmp.Or(
		compareNames(r.Name, o.Name), cmp.Compare(r.Type, o.Type), r.Address.Compare(o.Address), cmp.Compare(r.Target, o.Target),
		cmp.Compare(r.Port, o.Port), cmp.Compare(r.Weight, o.Weight), cmp.Compare(r.Text, o.Text),
	)
}

// sorted sorts records, and drops what is there twice: of several objects that give one
// answer, as slices that both have an endpoint, the record has the first.
func sorted(list []Record) []Record {
	slices.SortFunc(list, func(a, b Record) int {
		return cmp.Or(
			a.compare(&b), cmp.Compare(a.Origin.Namespace, b.Origin.Namespace), cmp.Compare(a.Origin.Kind, b.Origin.Kind),
			cmp.Compare(a.Origin.Name, b.Origin.Name),
		)
	})
	return slices.CompactFunc(list, func(a, b Record) bool { return a.compare(&b) == 0 })
}
