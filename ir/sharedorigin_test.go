package ir_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/planec/planec/ir"
)

// TestSharedOrigin wants the form of an origin, and equality of what is there.
func TestSharedOrigin(t *testing.T) {
	full := ir.Origin{Kind: "Service", Namespace: "shop", Name: "web", Path: "spec.ports[0]", File: "a&b<c>.yaml", Line: 7}
	for _, o := range []ir.Origin{full, {Name: "web"}, {}} {
		at, copied := o, o
		shared := ir.Share(&at)
		if shared.Get() != o || shared.At("x") != o.At("x") || !shared.Equal(ir.Share(&copied)) || !reflect.DeepEqual(shared, ir.Share(&copied)) {
			t.Errorf("%v is shared as %v", o, shared.Get())
		}
		if !o.IsZero() && shared.Equal(ir.SharedOrigin{}) {
			t.Errorf("%v is equal to none", o)
		}
		want, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(shared)
		if err != nil || string(got) != string(want) {
			t.Errorf("%v: the form is %s, %s is expected", err, got, want)
		}
		var back ir.SharedOrigin
		if err := json.Unmarshal(got, &back); err != nil || !back.Equal(shared) || !reflect.DeepEqual(back, shared) {
			t.Errorf("%s: %v: read as %v", got, err, back.Get())
		}
	}
	if !ir.Share(nil).Get().IsZero() {
		t.Error("nothing has an origin")
	}
	var back ir.SharedOrigin
	if err := json.Unmarshal([]byte(`{"kind":"Service","other":1}`), &back); err == nil {
		t.Error("an unknown field is read")
	}
}
