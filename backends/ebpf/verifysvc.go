package ebpf

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// service checks one entry of svc and records its pools.
func (v *imageVerifier) service(i int, m *Map) error {
	key, s := layout.DecodeServiceKey(m.Key(i)), layout.DecodeService(m.Value(i))
	if err := v.serviceKey(key, s); err != nil {
		return err
	}
	if s.Sources != 0 && v.sets[s.Sources] != keyFamily(key) {
		return fmt.Errorf("set %d of source ranges is not there, or of another family", s.Sources)
	}
	if s.Affinity != 0 {
		v.features |= layout.FeatureAffinity
	}
	if s.Sources != 0 {
		v.usedSets[s.Sources] = true
		v.features |= layout.FeatureSourceRanges
	}
	if key.Protocol == uint8(ir.SCTP) {
		v.features |= layout.FeatureSCTP
	}
	return errors.Join(v.route(key, s.Internal), v.route(key, s.External))
}

func (v *imageVerifier) serviceKey(key layout.ServiceKey, s layout.Service) error {
	nodePort := key.Scope&layout.ScopeNodePort != 0
	switch {
	case key.Scope&^(layout.ScopeIPv6|layout.ScopeNodePort) != 0:
		return fmt.Errorf("unknown scope %#x", key.Scope)
	case nodePort && key.Address != layout.Address{}:
		return errors.New("a nodePort with an address")
	case !nodePort && key.Address.Addr().Is4() != (key.Scope&layout.ScopeIPv6 == 0):
		return fmt.Errorf("%v is of another family than its scope", key.Address.Addr())
	case key.Port.Number() == 0:
		return errors.New("no port")
	case !slices.Contains(ir.Protocols(), ir.Protocol(key.Protocol)):
		return fmt.Errorf("unknown protocol %d", key.Protocol)
	case !slices.Contains(ir.FrontendKinds(), ir.FrontendKind(s.Kind)) || nodePort != (s.Kind == uint8(ir.NodePort)):
		return fmt.Errorf("kind %d does not fit", s.Kind)
	case s.Reserved != [15]byte{}:
		return errors.New("reserved bytes are used")
	}
	if nodePort {
		v.features |= layout.FeatureNodePorts
	}
	return nil
}

// route checks a route; all routes to a pool must agree about the pool.
func (v *imageVerifier) route(key layout.ServiceKey, r layout.Route) error {
	if r.Masquerade > layout.MasqueradeAlways || r.OnEmpty > layout.EmptyDrop || r.Flags&^layout.RouteWeighted != 0 {
		return errors.New("unknown masquerade rule, verdict or flags of a route")
	}
	pool := layout.Route{Base: r.Base, Count: r.Count, Total: r.Total, Flags: r.Flags}
	if r.Count == 0 {
		if pool != (layout.Route{}) {
			return errors.New("a route without endpoints has a pool")
		}
		return nil
	}
	if uint64(r.Base)+uint64(r.Count) > uint64(v.eps) {
		return fmt.Errorf("endpoints %d to %d of %d", r.Base, uint64(r.Base)+uint64(r.Count)-1, v.eps)
	}
	if have, ok := v.ranges[r.Base]; ok && have != pool {
		return fmt.Errorf("two pools start at endpoint %d", r.Base)
	}
	v.ranges[r.Base] = pool
	// One endpoint shows the family; pools checks that all endpoints have the same.
	if v.endpoint(r.Base).Address.Addr().Is4() != (key.Scope&layout.ScopeIPv6 == 0) {
		return fmt.Errorf("the pool at endpoint %d is of another family", r.Base)
	}
	return nil
}

func (v *imageVerifier) endpoint(i uint32) layout.Endpoint {
	return layout.DecodeEndpoint(v.maps[layout.Endpoints].Value(int(i)))
}

// pools checks that the pools are contiguous and that ep_ok has the same endpoints
// as ep.
func (v *imageVerifier) pools() error {
	if n := v.maps[layout.Members].Len(); n != v.eps {
		return fmt.Errorf("map ep_ok: %d entries for %d endpoints", n, v.eps)
	}
	next := uint32(0)
	for _, base := range slices.Sorted(maps.Keys(v.ranges)) {
		r := v.ranges[base]
		if base != next {
			return fmt.Errorf("map ep: a pool starts at %d instead of %d", base, next)
		}
		if err := v.pool(r); err != nil {
			return fmt.Errorf("map ep: pool at %d: %w", base, err)
		}
		if r.Flags&layout.RouteWeighted != 0 {
			v.features |= layout.FeatureWeights
		}
		next = base + r.Count
	}
	if next != uint32(v.eps) {
		return fmt.Errorf("map ep: endpoint %d belongs to no pool", next)
	}
	return nil
}

// sourceSets checks that the sets are numbered without gaps and all used.
func (v *imageVerifier) sourceSets() error {
	for set := range v.sets {
		if !v.usedSets[set] || set-layout.FirstSourceSet >= uint32(len(v.sets)) {
			return fmt.Errorf("map prefix: no service uses set %d, or a number before it is missing", set)
		}
	}
	return nil
}
