package ipvs

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
)

// maxPersistence is the maximum that ipvsadm accepts, in seconds (31 days).
const maxPersistence = 31 * 86400

// key is an address and port of one protocol.
type key struct {
	netip.AddrPort
	protocol ir.Protocol
}

// virtual is one virtual service, selected by mark if that is not 0, else by key.
type virtual struct {
	key
	mark      uint32
	scheduler string
	// persistence is how long a client keeps its endpoint, in seconds.
	persistence uint32
	endpoints   []ir.Endpoint
}

func (t *table) virtualOf(f *ir.Frontend, k key, pool *ir.Pool) virtual {
	return virtual{
		key: k, scheduler: t.scheduler(pool), endpoints: pool.Endpoints,
		persistence: min(f.Affinity, maxPersistence),
	}
}

// markedOf returns the virtual service for a mark. Persistent services with a mark
// do not translate ports (ip_vs_sched_persist compares with the service's port,
// which is 0). Therefore, affinity is a hash of the client's address: it has no
// timeout, and a change of endpoints moves few clients.
func (t *table) markedOf(f *ir.Frontend, mark uint32, pool *ir.Pool) virtual {
	v := virtual{mark: mark, scheduler: t.scheduler(pool), endpoints: pool.Endpoints}
	if f.Affinity > 0 {
		v.scheduler = "mh"
	}
	return v
}

// scheduler returns the configured scheduler, or wrr if rr would ignore different
// weights.
func (t *table) scheduler(pool *ir.Pool) string {
	if t.opts.Scheduler == "rr" && unequalWeights(pool) {
		return "wrr"
	}
	return t.opts.Scheduler
}

func unequalWeights(pool *ir.Pool) bool {
	return slices.ContainsFunc(pool.Endpoints, func(e ir.Endpoint) bool { return e.Weight != pool.Endpoints[0].Weight })
}

func compareVirtual(a, b virtual) int {
	return cmp.Or(cmp.Compare(a.mark, b.mark), cmp.Compare(a.protocol, b.protocol), a.AddrPort.Compare(b.AddrPort))
}

// appendServices writes the virtual services in a fixed order: by protocol,
// address and port, then by mark.
func (t *table) appendServices(b []byte) []byte {
	slices.SortFunc(t.services, compareVirtual)
	name := make([]byte, 0, 64)
	for i := range t.services {
		v := &t.services[i]
		name = t.appendName(name[:0], v)
		b = append(append(b, "-A "...), name...)
		b = append(append(b, " -s "...), v.scheduler...)
		if v.persistence > 0 {
			b = append(b, " -p "...)
			b = strconv.AppendUint(b, uint64(v.persistence), 10)
		}
		b = append(b, '\n')
		for _, e := range v.endpoints {
			b = append(append(b, "-a "...), name...)
			b = e.Address.AppendTo(append(b, " -r "...))
			b = append(b, " -m -w "...)
			b = append(strconv.AppendUint(b, uint64(e.Weight), 10), '\n')
		}
	}
	return b
}

// appendName writes the arguments by which ipvsadm identifies a virtual service.
func (t *table) appendName(b []byte, v *virtual) []byte {
	if v.mark != 0 {
		b = strconv.AppendUint(append(b, "-f "...), uint64(v.mark), 10)
		if t.family == ir.IPv6 {
			b = append(b, " -6"...)
		}
		return b
	}
	switch v.protocol {
	case ir.TCP:
		b = append(b, "-t "...)
	case ir.UDP:
		b = append(b, "-u "...)
	default:
		b = append(b, "--sctp-service "...)
	}
	return v.AppendTo(b)
}
