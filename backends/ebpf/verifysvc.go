package ebpf

import (
	"cmp"
	"errors"
	"fmt"
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
	v.features |= featuresOf(key, &s)
	if s.Sources != 0 {
		if v.sets[s.Sources] != keyFamily(key) {
			return fmt.Errorf("set %d of source ranges is not there, or of another family", s.Sources)
		}
		if s.Sources > v.nextSet {
			return fmt.Errorf("set %d of source ranges is used before set %d", s.Sources, v.nextSet)
		}
		v.nextSet = max(v.nextSet, s.Sources+1)
	}
	if err := v.route(key, s.Internal); err != nil {
		return err
	}
	return v.route(key, s.External)
}

// addressEntry checks an entry that says that an address is a ClusterIP.
func addressEntry(key layout.ServiceKey, s layout.Service) error {
	if s != (layout.Service{Kind: layout.KindAddress}) || key.Scope&layout.ScopeNodePort != 0 {
		return errors.New("an address of a ClusterIP with something else")
	}
	return nil
}

func (v *imageVerifier) serviceKey(key layout.ServiceKey, s layout.Service) error {
	nodePort := key.Scope&layout.ScopeNodePort != 0
	switch {
	case key.Scope&^(layout.ScopeIPv6|layout.ScopeNodePort) != 0:
		return fmt.Errorf("unknown scope %#x", key.Scope)
	case nodePort && key.Address != layout.Address{}:
		return errors.New("a nodePort with an address")
	case !nodePort && key.Address.Is4() != (key.Scope&layout.ScopeIPv6 == 0):
		return fmt.Errorf("%v is of another family than its scope", key.Address.Addr())
	case key.IsAddress():
		return addressEntry(key, s)
	case key.Port.Number() == 0:
		return errors.New("no port")
	case !slices.Contains(ir.Protocols(), ir.Protocol(key.Protocol)):
		return fmt.Errorf("unknown protocol %d", key.Protocol)
	case !slices.Contains(ir.FrontendKinds(), ir.FrontendKind(s.Kind)) || nodePort != (s.Kind == uint8(ir.NodePort)):
		return fmt.Errorf("kind %d does not fit", s.Kind)
	case s.Reserved != [15]byte{}:
		return errors.New("reserved bytes are used")
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
	switch have, ok := v.known(r.Base); {
	case ok && have != pool:
		return fmt.Errorf("two pools start at endpoint %d", r.Base)
	case !ok && r.Base != v.next:
		return fmt.Errorf("the pool at endpoint %d is used where one at %d should be: pools are in the order of their first use", r.Base, v.next)
	case !ok:
		v.ranges, v.next = append(v.ranges, pool), r.Base+r.Count
	}
	// One endpoint shows the family; pools checks that all endpoints have the same.
	if v.endpoint(r.Base).Address.Is4() != (key.Scope&layout.ScopeIPv6 == 0) {
		return fmt.Errorf("the pool at endpoint %d is of another family", r.Base)
	}
	return nil
}

// known returns the pool that starts at an endpoint. Most routes are to the last one, or to a new one.
func (v *imageVerifier) known(base uint32) (layout.Route, bool) {
	n := len(v.ranges)
	if n == 0 || base >= v.next {
		return layout.Route{}, false
	}
	if last := v.ranges[n-1]; last.Base == base {
		return last, true
	}
	i, ok := slices.BinarySearchFunc(v.ranges, base, func(r layout.Route, base uint32) int { return cmp.Compare(r.Base, base) })
	if !ok {
		return layout.Route{}, false
	}
	return v.ranges[i], true
}

func (v *imageVerifier) endpoint(i uint32) layout.Endpoint {
	return layout.DecodeEndpoint(v.maps[layout.Endpoints].Value(int(i)))
}

// pools checks that every endpoint is in a pool, and that no two pools are equal. The
// services have shown that pools are contiguous.
func (v *imageVerifier) pools() error {
	if v.next != uint32(v.eps) {
		return fmt.Errorf("map ep: endpoint %d belongs to no pool", v.next)
	}
	ep := &v.maps[layout.Endpoints]
	contents := newContents(len(v.ranges))
	for _, r := range v.ranges {
		if err := v.pool(r); err != nil {
			return fmt.Errorf("map ep: pool at %d: %w", r.Base, err)
		}
		from, to := int(r.Base)*ep.stride(), int(r.Base+r.Count)*ep.stride()
		if contents.put(ep.data[:to], from) != from {
			return fmt.Errorf("map ep: the pool at %d is there twice", r.Base)
		}
	}
	return nil
}

// sourceSets checks that the sets are numbered without gaps and all used, and that no two
// are equal.
func (v *imageVerifier) sourceSets() error {
	if used := v.nextSet - layout.FirstSourceSet; used != uint32(len(v.sets)) {
		return fmt.Errorf("map source: %d sets, of which services use %d", len(v.sets), used)
	}
	known := make(map[string]uint32, len(v.sets))
	for set, list := range v.sourceLists() {
		content := fmt.Sprint(list)
		if other, twice := known[content]; twice {
			return fmt.Errorf("map source: sets %d and %d are the same", other, set)
		}
		known[content] = set
	}
	return nil
}
