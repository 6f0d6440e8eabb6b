package ipam

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// maxRequested bounds the addresses that one Service may ask for.
const maxRequested = 64

// request is a Service of type LoadBalancer with what it wants and what it gets.
type request struct {
	object *corev1.Service
	name   objects.Name
	at     ir.Origin
	// families are those of the Service, the first one first; preferred reports that one of
	// them is enough.
	families  []ir.Family
	preferred bool
	// asked are the addresses that it asks for, and pool the pool of MetalLB, or "".
	asked []netip.Addr
	pool  string
	// unreadable reports that it asks for something that is no address.
	unreadable bool
	share      sharing
	ports      []port
	// status are the addresses of its status; names reports domain names there.
	status []netip.Addr
	names  bool
	// owned reports that planec gave it addresses before, and written has them.
	owned   bool
	written []netip.Addr

	labels labels.Set // of special, once it was asked for
	out    Assignment
}

// newRequest reads a Service.
func newRequest(s objects.Sourced[*corev1.Service], set *Settings) *request {
	r := &request{object: s.Object, name: objects.NameOf(s.Object), at: objects.Origin("Service", s)}
	r.out = Assignment{Service: r.name, Origin: r.at}
	r.families, r.preferred = familiesOf(&s.Object.Spec, set.families())
	r.share, r.ports = sharingOf(s.Object), portsOf(&s.Object.Spec)
	r.pool = annotation(s.Object, objects.MetalLBPool, objects.MetalLBPoolOld)
	held, isHeld := set.Held[r.name]
	r.written, r.owned = objects.Allocated(s.Object)
	r.written, r.owned = append(r.written, held...), r.owned || isHeld
	r.readStatus(held)
	return r
}

func (r *request) readStatus(held []netip.Addr) {
	for _, in := range r.object.Status.LoadBalancer.Ingress {
		a, err := parseAddr(in.IP)
		if err != nil {
			r.names = true
			continue
		}
		r.status = append(r.status, a)
	}
	for _, a := range held {
		if !slices.Contains(r.status, a) {
			r.status = append(r.status, a)
		}
	}
	r.status = unique(r.status)
}

// unique keeps the first of equal addresses, in order.
func unique(in []netip.Addr) []netip.Addr {
	seen := make(map[netip.Addr]bool, len(in))
	return slices.DeleteFunc(in, func(a netip.Addr) bool {
		again := seen[a]
		seen[a] = true
		return again
	})
}

// readAsked reads the addresses that a Service asks for.
func (r *request) readAsked() {
	spec := &r.object.Spec
	r.ask("spec.loadBalancerIP", spec.LoadBalancerIP)
	for _, keys := range [][2]string{{objects.CiliumAddresses, objects.CiliumAddressesOld}, {objects.MetalLBAddresses, objects.MetalLBAddressesOld}} {
		key := keys[0]
		if _, there := r.object.Annotations[key]; !there {
			key = keys[1]
		}
		r.ask(fmt.Sprintf("metadata.annotations[%q]", key), r.object.Annotations[key])
	}
	if r.asked = unique(r.asked); len(r.asked) > maxRequested {
		r.unreadable, r.asked = true, nil
		r.problem(diag.BadAddressRequest, "", fmt.Sprintf("it asks for more than %d addresses", maxRequested))
	}
}

func (r *request) ask(path, text string) {
	if text == "" {
		return
	}
	for n := 0; text != "" && n <= maxRequested; n++ {
		var item string
		item, text, _ = strings.Cut(text, ",")
		a, err := parseAddr(item)
		if err != nil {
			r.unreadable = true
			r.problem(diag.BadAddressRequest, path, diag.Printable(err.Error())+"; until it is one, the Service gets no new address")
			return
		}
		r.asked = append(r.asked, a)
	}
}

// problem notes why the Service lacks what it wants.
func (r *request) problem(code diag.Code, path, text string) {
	at := r.at
	if path != "" {
		at = at.At(path)
	}
	r.out.Findings.Add(code, at, text)
}

// annotation returns the first of two annotations that is there, or "".
func annotation(o *corev1.Service, key, old string) string {
	if v, there := o.Annotations[key]; there {
		return v
	}
	return o.Annotations[old]
}

// special returns the labels that pools of Cilium select by.
func (r *request) special() labels.Set {
	if r.labels == nil {
		r.labels = make(labels.Set, len(r.object.Labels)+2)
		maps.Copy(r.labels, r.object.Labels)
		r.labels[ciliumv2.ServiceNamespaceKey], r.labels[ciliumv2.ServiceNameKey] = r.name.Namespace, r.name.Name
	}
	return r.labels
}

// familiesOf returns the families of a Service, and whether one of them is enough: those that
// it names, or of its ClusterIPs, or else what its policy makes of the cluster's.
func familiesOf(spec *corev1.ServiceSpec, cluster []ir.Family) (out []ir.Family, one bool) {
	push := func(f ir.Family) {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	for _, f := range spec.IPFamilies {
		switch f {
		case corev1.IPv4Protocol:
			push(ir.IPv4)
		case corev1.IPv6Protocol:
			push(ir.IPv6)
		}
	}
	policy := corev1.IPFamilyPolicySingleStack
	if spec.IPFamilyPolicy != nil {
		policy = *spec.IPFamilyPolicy
	}
	if len(spec.IPFamilies) == 0 {
		for _, text := range append(slices.Clone(spec.ClusterIPs), spec.ClusterIP) {
			if a, err := parseAddr(text); err == nil {
				push(ir.FamilyOf(a))
			}
		}
	}
	switch {
	case policy == corev1.IPFamilyPolicyRequireDualStack:
		for _, f := range append(slices.Clone(cluster), ir.Families()...) {
			push(f)
		}
	case len(out) == 0 && policy == corev1.IPFamilyPolicyPreferDualStack:
		out = slices.Clone(cluster)
	case len(out) == 0 && len(cluster) > 0:
		out = cluster[:1:1]
	}
	return out, policy == corev1.IPFamilyPolicyPreferDualStack
}
