package iptables

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/failsafe"
)

// maxAffinity is the longest timeout of a set's entry, in seconds
// (IPSET_MAX_TIMEOUT in linux/netfilter/ipset/ip_set.h).
const maxAffinity = 2147483

// A network namespace has at most 65,534 sets (IPSET_INVALID_ID), including
// foreign ones. Each endpoint of a Service with affinity needs a set. Creating a
// set takes one to two milliseconds, during which no other change is made.
const (
	// mostSetsOfService limits the sets of one Service, mostSets those of all Services.
	mostSetsOfService = 1024
	mostSets          = 8192
)

// Check reports the Services that Emit refuses, and rules about packets that iptables
// cannot match.
func (b *Backend) Check(p *ir.Program) diag.List {
	var list diag.List
	backends.Report(&list, refused(p))
	xtpolicy.Report(&list, &p.Policy)
	list.Sort()
	return list
}

// refused returns the Services whose affinity is too long for a set or needs too many
// sets. If the total is too high, the Services with the most sets are refused.
func refused(p *ir.Program) []backends.Refused {
	var out []backends.Refused
	total := 0
	needs := setsOf(p)
	for _, n := range needs {
		switch {
		case n.seconds > maxAffinity:
			out = append(out, n.refuse("affinity of %d s, ipset remembers for %d at most", n.seconds, maxAffinity))
		case n.sets > mostSetsOfService:
			out = append(out, n.refuse("affinity needs a set for each of %d endpoints, and a Service has %d at most", n.sets, mostSetsOfService))
		default:
			total += n.sets
		}
	}
	slices.SortStableFunc(needs, func(a, b need) int { return cmp.Compare(b.sets, a.sets) })
	for _, n := range needs {
		if total <= mostSets {
			break
		}
		if n.seconds <= maxAffinity && n.sets <= mostSetsOfService {
			out = append(out, n.refuse("affinity needs a set for each of %d endpoints, and all Services together need %d, of %d that there are", n.sets, total, mostSets))
			total -= n.sets
		}
	}
	return out
}

// need has the affinity timeout and the number of sets of a Service.
type need struct {
	service failsafe.Object
	origin  ir.Origin
	seconds uint32
	sets    int
}

func (n need) refuse(format string, args ...any) backends.Refused {
	return backends.Refused{Object: n.service, Origin: n.origin.At("spec.sessionAffinity"), Why: n.service.String() + ": " + fmt.Sprintf(format, args...)}
}

// setsOf returns the Services with affinity, in the order of their frontends.
func setsOf(p *ir.Program) []need {
	var list []need
	at := make(map[failsafe.Object]int)
	var pools map[string]*ir.Pool
	counted := make(map[string]bool)
	for i := range p.Frontends {
		f := &p.Frontends[i]
		if f.Affinity == 0 {
			continue
		}
		if len(pools) == 0 {
			pools = backends.Pools(p)
		}
		o := failsafe.ServiceOf(f.Service)
		k, known := at[o]
		if !known {
			k = len(list)
			at[o] = k
			list = append(list, need{service: o, origin: f.Origin.Get()})
		}
		n := &list[k]
		n.seconds = max(n.seconds, f.Affinity)
		for _, id := range []string{f.Internal.Pool, f.External.Pool} {
			// A local pool is a subset of the Service's pool, so some endpoints
			// are counted twice.
			if key := f.Service.String() + " " + id; pools[id] != nil && !counted[key] {
				counted[key] = true
				n.sets += len(pools[id].Endpoints)
			}
		}
	}
	return list
}
