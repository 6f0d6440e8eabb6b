package apisource

import (
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/inbox"
	"github.com/planec/planec/internal/input/manifest"
)

// TestReplace lists objects as a server's pages have them, whole: what is kept is
// small, what is not listed any more is gone, and the same again is no change.
func TestReplace(t *testing.T) {
	b := inbox.New()
	s := &store{inbox: b, finisher: manifest.NewFinisher(), known: make(map[objects.Name]version), object: &discoveryv1.EndpointSlice{}}
	slice := func(name string) *discoveryv1.EndpointSlice {
		return &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
			Namespace: "shop", Name: name, UID: "u-1", ResourceVersion: "7",
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "somebody"}},
		}}
	}
	replace := func(all ...any) inbox.Batch {
		t.Helper()
		if err := s.Replace(all, "8"); err != nil {
			t.Fatal(err)
		}
		out, _ := b.Take()
		return out
	}
	b.Complete()
	first := replace(slice("a"), slice("b"))
	if len(first.Update.Slices) != 2 {
		t.Fatalf("%d slices", len(first.Update.Slices))
	}
	for _, u := range first.Update.Slices {
		if o := u.Slice.Object; o.ManagedFields != nil || o.UID != "" || o.ResourceVersion != "" {
			t.Errorf("%s is kept with %v", u.Name, o.ObjectMeta)
		}
	}
	if uid := s.uid(objects.Name{Namespace: "shop", Name: "a"}); uid != "u-1" {
		t.Errorf("the UID for events: %q", uid)
	}
	if again := replace(slice("a"), slice("b")); again.Count != 0 {
		t.Errorf("%d changes in the same list again", again.Count)
	}
	gone := replace(slice("b"))
	if len(gone.Update.Slices) != 1 || gone.Update.Slices[0].Name.Name != "a" || gone.Update.Slices[0].Slice.Object != nil {
		t.Errorf("after a is gone: %+v", gone.Update.Slices)
	}
}
