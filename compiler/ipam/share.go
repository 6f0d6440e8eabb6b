package ipam

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
)

// Several Services have one address where all of them ask for it with the same key, their ports
// differ, and their traffic policies agree: with Local a node without endpoints of the one drops
// packets of the other, so then both must select the same pods (isCompatible in Cilium's
// operator/pkg/lbipam/service_store.go, sharingOK in MetalLB's internal/allocator). Cilium compares
// ports without protocols, since its own programs do not tell them apart; planec's do, as MetalLB
// expects.

const (
	// maxGroups bounds the different kinds of Services on one address.
	maxGroups = 256
	// maxShared bounds the addresses of one key that a Service tries.
	maxShared = 256
	// maxAcross bounds the namespaces of a Service's annotation.
	maxAcross = 1024
)

// sharing is what Services of one address must agree about.
type sharing struct {
	cilium, metalLB string // the keys; "" is none
	namespace       string
	across          string // the namespaces that a key of Cilium counts in, with commas around each
	local           bool
	selector        string // of pods, in one order; only with local
}

func sharingOf(o *corev1.Service) sharing {
	s := sharing{
		cilium:    annotation(o, objects.CiliumSharingKey, objects.CiliumSharingKeyOld),
		metalLB:   annotation(o, objects.MetalLBAllowSharedIP, objects.MetalLBAllowSharedIPOld),
		namespace: o.Namespace,
		local:     o.Spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal,
	}
	if s.cilium != "" {
		list := annotation(o, objects.CiliumSharingAcross, objects.CiliumSharingAcrossOld)
		if strings.Count(list, ",") < maxAcross && list != "" {
			s.across = "," + strings.ReplaceAll(list, " ", "") + ","
		}
	}
	if s.local {
		var b strings.Builder
		for _, k := range slices.Sorted(maps.Keys(o.Spec.Selector)) {
			b.WriteString(k + "=" + o.Spec.Selector[k] + ",")
		}
		s.selector = b.String()
	}
	return s
}

// any reports whether the Service shares at all.
func (s *sharing) any() bool { return s.cilium != "" || s.metalLB != "" }

// keys returns the keys, those of the projects apart.
func (s *sharing) keys() (out []string) {
	if s.cilium != "" {
		out = append(out, "c"+s.cilium)
	}
	if s.metalLB != "" {
		out = append(out, "m"+s.metalLB)
	}
	return out
}

func (s *sharing) reaches(namespace string) bool {
	return strings.Contains(s.across, ",*,") || strings.Contains(s.across, ","+namespace+",")
}

// refuses says why two Services cannot have one address, but for their ports, or "".
func (s *sharing) refuses(o *sharing) string {
	cilium := s.cilium != "" && s.cilium == o.cilium
	metalLB := s.metalLB != "" && s.metalLB == o.metalLB
	switch {
	case !s.any() && !o.any():
		return "neither has a sharing key"
	case !s.any() || !o.any():
		return "one of them has no sharing key"
	case !cilium && !metalLB:
		return "their sharing keys differ"
	case !metalLB && s.namespace != o.namespace && (!s.reaches(o.namespace) || !o.reaches(s.namespace)):
		return "they are in different namespaces, and do not both have " + objects.CiliumSharingAcross
	case s.local != o.local:
		return "their externalTrafficPolicies differ"
	case s.local && (s.selector == "" || s.selector != o.selector):
		return "their externalTrafficPolicy is Local, and they do not select the same pods"
	}
	return ""
}

// port is a port of a Service.
type port struct {
	protocol corev1.Protocol
	number   int32
}

func portsOf(spec *corev1.ServiceSpec) []port {
	out := make([]port, 0, len(spec.Ports))
	for i := range spec.Ports {
		p := port{spec.Ports[i].Protocol, spec.Ports[i].Port}
		if p.protocol == "" {
			p.protocol = corev1.ProtocolTCP
		}
		out = append(out, p)
	}
	return out
}

// holder is who has an address.
type holder struct {
	first objects.Name // the Service that got it first
	node  string       // the Node that it is an address of, if it is one
	pool  *pool        // nil if it is none of a pool's
	// foreign reports that a Node has it, or a Service that planec does not serve.
	foreign bool
	groups  []sharing // what its Services agree about, each once
	ports   map[port]objects.Name
}

// String returns "Service shop/web" or "Node node-a".
func (h *holder) String() string {
	if h.node != "" {
		return "Node " + h.node
	}
	return "Service " + h.first.String()
}

// refuses says why a Service cannot have the address beside those that do, or "".
func (h *holder) refuses(r *request) string {
	switch {
	case h.node != "":
		return "it is an address of the node"
	case h.foreign:
		return "planec does not serve that Service"
	}
	for i := range h.groups {
		if why := h.groups[i].refuses(&r.share); why != "" {
			return why
		}
	}
	for _, p := range r.ports {
		if _, used := h.ports[p]; used {
			return "their ports overlap"
		}
	}
	if len(h.groups) >= maxGroups && !slices.Contains(h.groups, r.share) {
		return "too many different Services have it"
	}
	return ""
}

// join adds a Service.
func (h *holder) join(r *request) {
	if !slices.Contains(h.groups, r.share) {
		h.groups = append(h.groups, r.share)
	}
	if !r.share.any() {
		return // none will join it
	}
	if h.ports == nil {
		h.ports = make(map[port]objects.Name, len(r.ports))
	}
	for _, p := range r.ports {
		h.ports[p] = r.name
	}
}

// holders are the addresses that are taken.
type holders struct {
	by map[netip.Addr]*holder
	// shared are the addresses of each sharing key, in the order in which they were taken.
	shared map[string][]netip.Addr
}
