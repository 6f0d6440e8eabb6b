package inbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// TestListsStay wants lists in which one changed object is the only difference: the compiler
// takes what it made of all others by their places and addresses.
func TestListsStay(t *testing.T) {
	o := newOthers()
	put := func(object metav1.Object) bool {
		return o.put(objects.NameOf(object), objects.Sourced[metav1.Object]{Object: object})
	}
	for _, i := range rand.New(rand.NewPCG(1, 1)).Perm(50) {
		name := metav1.ObjectMeta{Namespace: fmt.Sprintf("ns-%d", i%3), Name: fmt.Sprintf("object-%d", i)}
		put(&networkingv1.NetworkPolicy{ObjectMeta: name})
		put(&corev1.Pod{ObjectMeta: name})
	}
	before := o.take()
	pod := before.Pods[7].Object.DeepCopy()
	if put(pod) || o.take() != nil {
		t.Error("an equal pod is a change")
	}
	changed := before.NetworkPolicies[20].Object.DeepCopy()
	changed.Labels = map[string]string{"now": "other"}
	if !put(changed) {
		t.Error("a change is none")
	}
	after := o.take()
	if !slices.Equal(before.Pods, after.Pods) {
		t.Error("the pods are another list")
	}
	for i := range after.NetworkPolicies {
		if same := before.NetworkPolicies[i] == after.NetworkPolicies[i]; same != (i != 20) {
			t.Errorf("policy %d: the same one: %v", i, same)
		}
	}
	o.remove(objects.NameOf(pod), pod)
	if got := o.take(); len(got.Pods) != 49 || !slices.Equal(got.Pods, slices.Delete(slices.Clone(before.Pods), 7, 8)) {
		t.Error("a pod that goes leaves another list than the others")
	}
}
