package ebpf

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
)

// pool checks the endpoints of one pool: they must be canonical, sorted and of one
// family, and their probabilities must match their weights.
func (v *imageVerifier) pool(r layout.Route) error {
	v.units = slices.Grow(v.units[:0], int(r.Count))[:r.Count]
	units := v.units
	clear(units)
	first := v.endpoint(r.Base)
	var before layout.Endpoint
	weighted, total := false, uint64(0)
	for i := range r.Count {
		e := v.endpoint(r.Base + i)
		switch {
		case e.Flags&^layout.EndpointLocal != 0 || e.Port.Number() == 0 || e.Weight == 0 || e.Weight > math.MaxUint16:
			return fmt.Errorf("endpoint %d: unknown flags, no port or no weight", i)
		case e.Threshold > r.Total || e.Alias >= r.Count:
			return fmt.Errorf("endpoint %d: its alias is not in the pool", i)
		case e.Threshold == r.Total && e.Alias != i:
			return fmt.Errorf("endpoint %d: an alias that is never drawn", i)
		case i > 0 && !inOrder(before, e):
			return fmt.Errorf("endpoint %d: not after the one before, or of another family", i)
		}
		units[i] += uint64(e.Threshold)
		units[e.Alias] += uint64(r.Total) - uint64(e.Threshold)
		weighted = weighted || e.Weight != first.Weight
		total += uint64(e.Weight)
		before = e
	}
	if total != uint64(r.Total) || weighted != (r.Flags&layout.RouteWeighted != 0) {
		return errors.New("the sum of the weights is another")
	}
	for i := range r.Count {
		weight := first.Weight
		if weighted {
			weight = v.endpoint(r.Base + i).Weight
		}
		if units[i] != uint64(weight)*uint64(r.Count) {
			return fmt.Errorf("endpoint %d: it is not drawn as often as its weight says", i)
		}
	}
	return nil
}

func inOrder(a, b layout.Endpoint) bool {
	if a.Address.Is4() != b.Address.Is4() {
		return false
	}
	c := bytes.Compare(a.Address[:], b.Address[:])
	return c < 0 || c == 0 && bytes.Compare(a.Port[:], b.Port[:]) < 0
}

func keyFamily(key layout.ServiceKey) uint8 {
	if key.Scope&layout.ScopeIPv6 != 0 {
		return 6
	}
	return 4
}
