package ir

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// Endpoint is one address and port behind a frontend.
type Endpoint struct {
	// Endpoints cannot be compared with ==: equal origins may lie at two places. See [Endpoint.Equal].
	_ [0]func()

	Address netip.AddrPort `json:"address"` // of the same family as the frontends that use the pool
	// Local reports whether the address belongs to a pod of this node; it is the
	// same in every pool. Packets that a local endpoint sends to itself through
	// a frontend (hairpin) are masqueraded.
	Local bool `json:"local,omitempty"`
	// Weight is the endpoint's share of new connections; today always 1.
	Weight uint16 `json:"weight"`

	// element is 1 + the place in the list of the slice, or 0 if the origin is slice itself. Only one
	// of the two is used for an origin, so that equal ones have equal fields.
	element uint32
	// slice is nil for the zero origin. All endpoints of a slice share it, because a program of a
	// large cluster has 150,000 endpoints. It does not change.
	slice *Origin
}

// Origin returns the EndpointSlice with the endpoint, and the endpoint's path in it.
func (e Endpoint) Origin() Origin {
	switch {
	case e.slice == nil:
		return Origin{}
	case e.element == 0:
		return *e.slice
	}
	return e.slice.At(EndpointPath(int(e.element - 1)))
}

// SetOrigin sets the origin, which the endpoint does not share with others. [Endpoint.SetElement]
// takes less memory.
func (e *Endpoint) SetOrigin(o Origin) {
	e.slice, e.element = nil, 0
	if o.IsZero() {
		return
	}
	if i, is := endpointOf(o.Path); is {
		o.Path, e.element = "", i+1
	}
	e.slice = &o
}

// SetElement sets the origin to the element i, from 0, of the endpoints of a slice. All
// endpoints of the slice may share its origin, which has no path, and must not be changed any more.
func (e *Endpoint) SetElement(slice *Origin, i int) {
	if slice.Path != "" || i < 0 || i >= math.MaxUint32 {
		e.SetOrigin(slice.At(EndpointPath(i)))
		return
	}
	e.slice, e.element = slice, uint32(i+1)
}

// Element returns what [Endpoint.SetElement] was given: the origin of the slice, which must not be
// changed, and the place in it. It reports false if the origin is no element of a slice.
func (e *Endpoint) Element() (slice *Origin, i int, is bool) {
	if e.element == 0 {
		return nil, 0, false
	}
	return e.slice, int(e.element - 1), true
}

const (
	endpointPrefix = "endpoints["
	endpointSuffix = "]"
)

// EndpointPath is the path of an element of an EndpointSlice, "endpoints[i]".
func EndpointPath(i int) string { return endpointPrefix + strconv.Itoa(i) + endpointSuffix }

// endpointOf is the reverse of EndpointPath.
func endpointOf(path string) (i uint32, is bool) {
	number, prefixed := strings.CutPrefix(path, endpointPrefix)
	number, suffixed := strings.CutSuffix(number, endpointSuffix)
	if !prefixed || !suffixed {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 10, 32)
	return uint32(n), err == nil && n < math.MaxUint32 && EndpointPath(int(n)) == path
}

// Equal reports whether two endpoints are the same, with their origins.
func (e Endpoint) Equal(o Endpoint) bool {
	if e.Address != o.Address || e.Local != o.Local || e.Weight != o.Weight || e.element != o.element {
		return false
	}
	return e.slice == o.slice || e.slice != nil && o.slice != nil && *e.slice == *o.slice
}

// endpointFields has the fields of an Endpoint, and no methods.
type endpointFields Endpoint

// endpointJSON is what is written of an Endpoint.
type endpointJSON struct {
	endpointFields
	Origin Origin `json:"origin"` // the EndpointSlice with the endpoint
}

// MarshalJSON implements json.Marshaler.
func (e Endpoint) MarshalJSON() ([]byte, error) {
	return marshalPart(endpointJSON{endpointFields(e), e.Origin()}, "endpoint")
}

// UnmarshalJSON implements json.Unmarshaler. An unknown field is an error.
func (e *Endpoint) UnmarshalJSON(data []byte) error {
	var in endpointJSON
	if err := unmarshalPart(data, &in, "endpoint"); err != nil {
		return err
	}
	*e = Endpoint(in.endpointFields)
	e.SetOrigin(in.Origin)
	return nil
}
