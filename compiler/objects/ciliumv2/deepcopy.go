package ciliumv2

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/runtime"
)

// DeepCopyObject implements runtime.Object.
func (p *NetworkPolicy) DeepCopyObject() runtime.Object {
	out := &NetworkPolicy{TypeMeta: p.TypeMeta, Spec: copied(p.Spec), Specs: *copied(&p.Specs), Status: *copied(&p.Status)}
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// DeepCopyObject implements runtime.Object.
func (p *ClusterwideNetworkPolicy) DeepCopyObject() runtime.Object {
	out := &ClusterwideNetworkPolicy{TypeMeta: p.TypeMeta, Spec: copied(p.Spec), Specs: *copied(&p.Specs), Status: *copied(&p.Status)}
	p.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// DeepCopyObject implements runtime.Object.
func (g *CIDRGroup) DeepCopyObject() runtime.Object {
	out := &CIDRGroup{TypeMeta: g.TypeMeta, Spec: *copied(&g.Spec)}
	g.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	return out
}

// copied copies by way of JSON, which keeps all that these types hold, empty lists too.
// Nothing copies many of them: client-go does so where it compares objects.
func copied[T any](from *T) *T {
	if from == nil {
		return nil
	}
	out := new(T)
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		panic("ciliumv2: " + err.Error()) // unreachable: the types are plain data
	}
	return out
}
