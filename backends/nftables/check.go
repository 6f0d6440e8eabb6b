package nftables

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/failsafe"
)

// Check reports the Services that Emit leaves out.
func (b *Backend) Check(p *ir.Program) diag.List {
	var list diag.List
	backends.Report(&list, Refused(p))
	list.Sort()
	return list
}

// mostRanges bounds the source ranges of all frontends together. An insertion into
// a set of concatenated ranges (net/netfilter/nft_set_pipapo.c) takes time for each
// existing element: 16,384 take three seconds, 100,000 more than a minute, and
// every other change of the ruleset waits.
const mostRanges = 16384

// Refused returns the Services that Emit gives up: those with a pool whose weights need
// more than 65536 indexes and, if there are too many source ranges, those with the most.
func Refused(p *ir.Program) []backends.Refused { return append(tooWide(p), tooManyRanges(p)...) }

func tooManyRanges(p *ir.Program) []backends.Refused {
	total := 0
	ranges := make(map[failsafe.Object]int)
	origins := make(map[failsafe.Object]ir.Origin)
	for i := range p.Frontends {
		if f := &p.Frontends[i]; len(f.SourceRanges) > 0 {
			o := failsafe.ServiceOf(f.Service)
			total += len(f.SourceRanges)
			ranges[o] += len(f.SourceRanges)
			origins[o] = f.Origin.Get()
		}
	}
	if total <= mostRanges {
		return nil
	}
	services := slices.SortedFunc(maps.Keys(ranges), func(a, b failsafe.Object) int {
		return cmp.Or(cmp.Compare(ranges[b], ranges[a]), b.Compare(a))
	})
	var out []backends.Refused
	for _, o := range services {
		if total <= mostRanges {
			break
		}
		out = append(out, backends.Refused{
			Object: o, Origin: origins[o].At("spec.loadBalancerSourceRanges"),
			Why: fmt.Sprintf("%v: %d source ranges of all addresses and ports, and all Services together have %d, of %d that there are", o, ranges[o], total, mostRanges),
		})
		total -= ranges[o]
	}
	return out
}

// tooWide returns the Services with a pool whose weights need more than 65536 indexes.
func tooWide(p *ir.Program) []backends.Refused {
	large := make(map[string]string)
	for i := range p.Pools {
		pool := &p.Pools[i]
		if n, fits := fitting(pool); !fits {
			large[pool.ID] = fmt.Sprintf("pool %s: the weights add up to %d, nftables has room for %d", pool.ID, n, maxSlots)
		}
	}
	if len(large) == 0 {
		return nil
	}
	var out []backends.Refused
	for i := range p.Frontends {
		f := &p.Frontends[i]
		if why := cmp.Or(large[f.Internal.Pool], large[f.External.Pool]); why != "" {
			out = append(out, backends.Refused{Object: failsafe.ServiceOf(f.Service), Origin: f.Origin.Get(), Why: why})
		}
	}
	return out
}
