package objects_test

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// TestLists wants a list for each field of a set that has objects of one kind, those of what it embeds too, and lists that change the set's own
// field and no other set.
func TestLists(t *testing.T) {
	var set objects.Set
	want := 0
	for _, f := range reflect.VisibleFields(reflect.TypeFor[objects.Set]()) {
		if !f.Anonymous && f.Type != reflect.TypeFor[[]objects.OtherCluster]() {
			want++
		}
	}
	if got := len(set.Lists()); got != want {
		t.Errorf("%d lists of %d fields", got, want)
	}
	for _, name := range []string{"a", "b"} {
		set.Services = append(set.Services, objects.Sourced[*corev1.Service]{Object: &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name}}, Line: 7})
	}
	other := set
	l := set.Lists()[0]
	l.Delete(func(i int, o metav1.Object) bool { return i == 0 && o.GetName() == "a" })
	for o := range other.Lists()[0].All() {
		if o.Object.GetName() == "a" {
			l.Add(o)
		}
	}
	if len(set.Services) != 2 || set.Services[1].Object.Name != "a" || set.Services[1].Line != 7 || other.Services[0].Object.Name != "a" {
		t.Errorf("set %v, the other one %v", set.Services, other.Services)
	}
}

func TestName(t *testing.T) {
	a, b, node := objects.Name{Namespace: "a", Name: "z"}, objects.Name{Namespace: "b", Name: "a"}, objects.Name{Name: "node"}
	if a.String() != "a/z" || node.String() != "node" || a.Compare(b) >= 0 || b.Compare(a) <= 0 || a.Compare(a) != 0 || node.Compare(a) >= 0 {
		t.Errorf("%v, %v, %v", a, b, node)
	}
}
