package connectivity

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// door is the pod of an ingress controller, whose namespace and labels the input does
// not tell: a pod without labels, in a namespace that no policy names. It is an object,
// so that the compiler judges it like any other pod.
type door struct {
	namespace, place string
	addresses        []netip.Addr
	at               clusterwide.Ends
}

// newDoor returns nil if nothing leads into the cluster, or no pod has an address.
func newDoor(set *objects.Set, cluster *compiler.Cluster, pods []netpath.Pod) *door {
	if len(set.Entries) == 0 || len(pods) == 0 {
		return nil
	}
	d := &door{namespace: "ingress-controller", place: "ingress controller"}
	for slices.ContainsFunc(set.Namespaces, func(n objects.Sourced[*corev1.Namespace]) bool {
		return strings.HasPrefix(n.Object.Name, d.namespace)
	}) {
		d.namespace += "-x"
	}
	d.namespace += ".unknown" // no namespace has a dot, and no policy names one
	taken := takenAddresses(set, pods)
	var given []netip.Addr
	for i := range pods {
		if !pods[i].Place.Host {
			for _, a := range pods[i].Addresses {
				given = append(given, a)
			}
		}
	}
	ranges := clusterwide.PodRanges(given, clusterwide.PodCIDRs(set, cluster))
	whole := families(cluster, pods)
	cuts := clusterwide.Cuts(append(slices.Clone(whole), cluster.PolicyReach().Networks...)...)
	d.at.Addresses = make(map[ir.Family]netip.Addr)
	for _, all := range whole {
		for _, c := range cuts { // addresses that no policy names come first
			free := clusterwide.Cut{Prefix: c.Prefix, Pieces: clusterwide.Overlap(c.Pieces, ranges)}
			if c.Prefix.Addr().Is4() != all.Addr().Is4() {
				continue
			}
			if a, ok := free.Example(taken); ok {
				d.add(a)
				break
			}
		}
	}
	return d
}

func (d *door) add(a netip.Addr) {
	f := ir.FamilyOf(a)
	d.addresses, d.at.Addresses[f] = append(d.addresses, a), a
	if d.at.Primary == 0 {
		d.at.Primary = f
	}
}

// objects returns the input with the controller's pod.
func (d *door) objects(set *objects.Set) *objects.Set {
	out := *set
	n := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: d.namespace, Labels: map[string]string{corev1.LabelMetadataName: d.namespace}}}
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: d.namespace, Name: "controller"},
		Spec:       corev1.PodSpec{NodeName: d.place},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning},
	}
	for _, a := range d.addresses {
		p.Status.PodIPs = append(p.Status.PodIPs, corev1.PodIP{IP: a.String()})
	}
	if len(d.addresses) > 0 {
		p.Status.PodIP = d.addresses[0].String()
	}
	out.Namespaces = append(slices.Clone(out.Namespaces), objects.Sourced[*corev1.Namespace]{Object: n})
	out.Pods = append(slices.Clone(out.Pods), objects.Sourced[*corev1.Pod]{Object: p})
	return &out
}
