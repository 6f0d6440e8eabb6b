package ir_test

import (
	"encoding/json"
	"math"
	"net/netip"
	"reflect"
	"testing"

	"github.com/planec/planec/ir"
)

// TestEndpointOrigins sets an origin in both ways: what is equal is equal however it came, and
// nothing of it is lost.
func TestEndpointOrigins(t *testing.T) {
	slice := ir.Origin{Kind: "EndpointSlice", Namespace: "shop", Name: "web-1", File: "a&b<c>.yaml", Line: 7}
	for _, path := range []string{
		"", "endpoints[0]", "endpoints[7]", "endpoints[4294967294]", "endpoints[4294967295]", "endpoints[4294967296]",
		"endpoints[07]", "endpoints[+7]", "endpoints[-1]", "endpoints[]", "endpoints[7", "endpoints[7].x", "x.endpoints[7]", "spec.ports[0]", "<&>",
	} {
		want := slice.At(path)
		var e ir.Endpoint
		e.SetOrigin(want)
		if got := e.Origin(); got != want {
			t.Errorf("%q: the origin is %v", path, got)
		}
		checkEndpointJSON(t, e)
	}
	for _, i := range []int{0, 7, 1000, math.MaxUint32 - 1, math.MaxUint32} {
		var one, other ir.Endpoint
		shared := slice
		one.SetElement(&shared, i)
		other.SetOrigin(slice.At(ir.EndpointPath(i)))
		if one.Origin() != other.Origin() || !one.Equal(other) || !reflect.DeepEqual(one, other) {
			t.Errorf("element %d: %v is not %v", i, one.Origin(), other.Origin())
		}
		checkEndpointJSON(t, one)
	}
	var none, zero ir.Endpoint
	zero.SetOrigin(ir.Origin{})
	if !none.Equal(zero) || !none.Origin().IsZero() {
		t.Error("the zero endpoint has an origin")
	}
}

// TestEndpointEqual changes one thing.
func TestEndpointEqual(t *testing.T) {
	made := func(change func(*ir.Endpoint, *ir.Origin)) ir.Endpoint {
		e := ir.Endpoint{Address: netip.MustParseAddrPort("10.0.0.1:80"), Weight: 1}
		o := ir.Origin{Kind: "EndpointSlice", Name: "web-1"}
		e.SetElement(&o, 3)
		change(&e, &o)
		return e
	}
	want := made(func(*ir.Endpoint, *ir.Origin) {})
	for name, e := range map[string]ir.Endpoint{
		"address": made(func(e *ir.Endpoint, _ *ir.Origin) { e.Address = netip.MustParseAddrPort("10.0.0.1:81") }),
		"local":   made(func(e *ir.Endpoint, _ *ir.Origin) { e.Local = true }),
		"weight":  made(func(e *ir.Endpoint, _ *ir.Origin) { e.Weight = 2 }),
		"element": made(func(e *ir.Endpoint, o *ir.Origin) { e.SetElement(o, 4) }),
		"slice":   made(func(e *ir.Endpoint, o *ir.Origin) { o.Name = "web-2" }),
		"none":    made(func(e *ir.Endpoint, _ *ir.Origin) { e.SetOrigin(ir.Origin{}) }),
	} {
		if e.Equal(want) || want.Equal(e) {
			t.Errorf("%s: equal", name)
		}
	}
	if !want.Equal(made(func(*ir.Endpoint, *ir.Origin) {})) {
		t.Error("equal endpoints of two places differ")
	}
}

// checkEndpointJSON compares the form with that of a type without methods, with HTML's signs
// escaped and without.
func checkEndpointJSON(t *testing.T, e ir.Endpoint) {
	t.Helper()
	plain, err := json.Marshal(struct {
		Address netip.AddrPort `json:"address"`
		Local   bool           `json:"local,omitempty"`
		Weight  uint16         `json:"weight"`
		Origin  ir.Origin      `json:"origin"`
	}{e.Address, e.Local, e.Weight, e.Origin()})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(e)
	if err != nil || string(got) != string(plain) {
		t.Errorf("%v: the form is %s, %s is expected", err, got, plain)
	}
	var back ir.Endpoint
	if err := json.Unmarshal(got, &back); err != nil || !back.Equal(e) || !reflect.DeepEqual(back, e) {
		t.Errorf("%s: %v: read as %v", got, err, back.Origin())
	}
	if err := json.Unmarshal([]byte(`{"address":"10.0.0.1:80","weight":1,"other":1}`), &back); err == nil {
		t.Error("an unknown field is read")
	}
}
