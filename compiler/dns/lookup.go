package dns

import (
	"net/netip"
	"slices"
	"strings"
)

// Names answers questions for addresses.
type Names struct {
	zone    string
	records map[string][]Record
}

// NewNames indexes the records of [Zones] with the names of Services: those of the cluster's
// domain, the first zone, and of several clusters'.
func NewNames(zones []Zone) *Names {
	n := &Names{zone: zones[0].Name, records: make(map[string][]Record)}
	for _, z := range OfServices(zones) {
		for _, r := range z.Records {
			n.records[r.Name] = append(n.records[r.Name], r)
		}
	}
	return n
}

// OfServices returns those of [Zones] that have names of Services, and not of addresses.
func OfServices(zones []Zone) []Zone {
	return slices.DeleteFunc(slices.Clone(zones), func(z Zone) bool { return z.Name == reverse4 || z.Name == reverse6 })
}

// Answer is what a name means.
type Answer struct {
	Name      string       // the whole name, with its last dot
	Addresses []netip.Addr // sorted; none if Target is there
	Target    string       // the name that an ExternalName Service stands for, or ""
	Records   []Record     // the records with the answer
}

// Find resolves a name as a pod does with its search list, but for the pod's own namespace:
// as it is, then below "svc" and the zone, then below the zone.
func (n *Names) Find(name string) (Answer, bool) {
	whole := strings.ToLower(strings.TrimSuffix(name, ".")) + "."
	for _, full := range []string{whole, whole + "svc." + n.zone, whole + n.zone} {
		a := Answer{Name: full}
		for _, r := range n.records[full] {
			switch r.Type {
			case A, AAAA:
				a.Addresses = append(a.Addresses, r.Address)
			case CNAME:
				a.Target = r.Target
			default:
				continue
			}
			a.Records = append(a.Records, r)
		}
		if len(a.Records) > 0 {
			slices.SortFunc(a.Addresses, netip.Addr.Compare)
			return a, true
		}
	}
	return Answer{}, false
}

// All lists the names that have addresses or stand for another name, sorted, without
// their last dot.
func (n *Names) All() []string {
	var out []string
	for name, list := range n.records {
		if slices.ContainsFunc(list, func(r Record) bool { return r.Type == A || r.Type == AAAA || r.Type == CNAME }) {
			out = append(out, strings.TrimSuffix(name, "."))
		}
	}
	slices.Sort(out)
	return out
}
