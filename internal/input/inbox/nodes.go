package inbox

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
)

// NodesChanged becomes readable when the first listing is complete, and when a Node comes,
// goes or changes. There is one reader.
func (b *Inbox) NodesChanged() <-chan struct{} { return b.nodesChanged }

// Nodes returns the Nodes, in no order; complete is false before the first listing is.
func (b *Inbox) Nodes() (set *objects.Set, complete bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	set = &objects.Set{}
	for i, l := range set.Lists() {
		if l.Takes(&corev1.Node{}) {
			for _, s := range b.others.tables[i].byName {
				l.Add(s)
			}
		}
	}
	return set, b.complete
}

// ringNodes gives a notice if the object is a Node.
func (b *Inbox) ringNodes(o metav1.Object) {
	if _, is := o.(*corev1.Node); !is {
		return
	}
	select {
	case b.nodesChanged <- struct{}{}:
	default: // one is pending
	}
}
