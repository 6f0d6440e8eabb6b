package ipam_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/compiler/objects/metallbv1beta1"
	"github.com/planec/planec/ir"
)

// world is a cluster whose objects change. The names of Services and pools say nothing about
// their age.
type world struct {
	rng      *rand.Rand
	set      objects.Set
	services int // how many there are to be
	clock    int
	// touched are the Services that changed since the last run; pools reports a change of a pool.
	touched map[objects.Name]bool
	pools   bool
}

func newWorld(seed uint64, services int) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 1)), services: services, touched: make(map[objects.Name]bool)}
	for range 6 {
		w.addPool()
	}
	for range services {
		w.addService()
	}
	return w
}

func (w *world) age() metav1.Time {
	w.clock++
	return metav1.NewTime(time.Unix(int64(w.clock/3), 0)) // some are equally old
}

func (w *world) name() string {
	return fmt.Sprintf("%c%d", 'a'+rune(w.rng.IntN(26)), w.clock*1000+w.rng.IntN(1000))
}

// network returns one of a few networks, some of which overlap.
func (w *world) network() string {
	switch w.rng.IntN(6) {
	case 0:
		return fmt.Sprintf("fd00:%x::/%d", w.rng.IntN(4), 64+w.rng.IntN(60))
	case 1:
		return fmt.Sprintf("10.%d.0.0/%d", w.rng.IntN(3), 8+w.rng.IntN(12))
	}
	return fmt.Sprintf("10.%d.%d.0/%d", 100+w.rng.IntN(20), w.rng.IntN(8)*32, 20+w.rng.IntN(10))
}

func (w *world) addPool() {
	w.pools = true
	meta := metav1.ObjectMeta{Name: w.name(), CreationTimestamp: w.age()}
	team := &metav1.LabelSelector{MatchLabels: map[string]string{"team": fmt.Sprint(w.rng.IntN(3))}}
	if w.rng.IntN(2) == 0 {
		p := &ciliumv2.LoadBalancerIPPool{ObjectMeta: meta}
		for range 1 + w.rng.IntN(3) {
			p.Spec.Blocks = append(p.Spec.Blocks, ciliumv2.IPBlock{CIDR: w.network()})
		}
		if w.rng.IntN(3) == 0 {
			p.Spec.ServiceSelector = team
		}
		if w.rng.IntN(3) == 0 {
			p.Spec.AllowFirstLastIPs = "No"
		}
		w.set.CiliumPools = append(w.set.CiliumPools, objects.Sourced[*ciliumv2.LoadBalancerIPPool]{Object: p})
		return
	}
	meta.Namespace = "metallb-system"
	p := &metallbv1beta1.IPAddressPool{ObjectMeta: meta}
	for range 1 + w.rng.IntN(3) {
		p.Spec.Addresses = append(p.Spec.Addresses, w.network())
	}
	if w.rng.IntN(3) == 0 {
		p.Spec.AllocateTo = &metallbv1beta1.ServiceAllocation{Priority: w.rng.IntN(3), ServiceSelectors: []metav1.LabelSelector{*team}}
	}
	p.Spec.AvoidBuggyIPs = w.rng.IntN(3) == 0
	if w.rng.IntN(5) == 0 {
		p.Spec.AutoAssign = new(false)
	}
	w.set.MetalLBPools = append(w.set.MetalLBPools, objects.Sourced[*metallbv1beta1.IPAddressPool]{Object: p})
}

func (w *world) dropPool() {
	w.pools = true
	if n := len(w.set.CiliumPools); n > 0 && w.rng.IntN(2) == 0 {
		w.set.CiliumPools = slices.Delete(slices.Clone(w.set.CiliumPools), n-1, n)
	} else if n := len(w.set.MetalLBPools); n > 0 {
		w.set.MetalLBPools = slices.Delete(slices.Clone(w.set.MetalLBPools), 0, 1)
	}
}

// changePool takes a part of a pool away, or turns one on or off.
func (w *world) changePool() {
	w.pools = true
	if n := len(w.set.CiliumPools); n > 0 && w.rng.IntN(2) == 0 {
		p := &w.set.CiliumPools[w.rng.IntN(n)]
		o := p.Object.DeepCopyObject().(*ciliumv2.LoadBalancerIPPool)
		if w.rng.IntN(3) == 0 {
			o.Spec.Disabled = !o.Spec.Disabled
		} else {
			o.Spec.Blocks = o.Spec.Blocks[:len(o.Spec.Blocks)-1]
			o.Spec.Blocks = append(o.Spec.Blocks, ciliumv2.IPBlock{CIDR: w.network()})
		}
		p.Object = o
	} else if n := len(w.set.MetalLBPools); n > 0 {
		p := &w.set.MetalLBPools[w.rng.IntN(n)]
		o := p.Object.DeepCopyObject().(*metallbv1beta1.IPAddressPool)
		o.Spec.Addresses[0] = w.network()
		p.Object = o
	}
}

func (w *world) addService() {
	o := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprintf("ns%d", w.rng.IntN(3)), Name: w.name(), CreationTimestamp: w.age(), Labels: map[string]string{"team": fmt.Sprint(w.rng.IntN(4))}},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer},
	}
	w.wishes(o)
	w.touched[objects.NameOf(o)] = true
	w.set.Services = append(w.set.Services, objects.Sourced[*corev1.Service]{Object: o})
}

// wishes changes what a Service wants.
func (w *world) wishes(o *corev1.Service) {
	o.Spec.Ports = []corev1.ServicePort{{Port: int32(80 + w.rng.IntN(20))}}
	policies := []corev1.IPFamilyPolicy{corev1.IPFamilyPolicySingleStack, corev1.IPFamilyPolicySingleStack, corev1.IPFamilyPolicyPreferDualStack, corev1.IPFamilyPolicyRequireDualStack}
	o.Spec.IPFamilyPolicy = new(policies[w.rng.IntN(4)])
	o.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv4Protocol, corev1.IPv6Protocol}
	if w.rng.IntN(4) == 0 {
		slices.Reverse(o.Spec.IPFamilies)
	}
	if *o.Spec.IPFamilyPolicy == corev1.IPFamilyPolicySingleStack {
		o.Spec.IPFamilies = o.Spec.IPFamilies[:1]
	}
	o.Spec.LoadBalancerIP, o.Annotations = "", nil
	switch w.rng.IntN(12) {
	case 0:
		o.Spec.LoadBalancerIP = fmt.Sprintf("10.%d.%d.%d", 100+w.rng.IntN(20), w.rng.IntN(8)*32, w.rng.IntN(256))
	case 1, 2:
		o.Annotations = map[string]string{objects.CiliumSharingKey: fmt.Sprint(w.rng.IntN(30))}
	case 3:
		o.Annotations = map[string]string{objects.MetalLBAllowSharedIP: fmt.Sprint(w.rng.IntN(30))}
	case 4:
		o.Spec.LoadBalancerClass = new("example.com/other")
	}
}

// step changes a few objects.
func (w *world) step() {
	w.touched, w.pools = make(map[objects.Name]bool), false
	for range 1 + w.rng.IntN(40) {
		i := w.rng.IntN(len(w.set.Services))
		switch w.rng.IntN(3) {
		case 0:
			w.set.Services = slices.Delete(slices.Clone(w.set.Services), i, i+1)
		case 1:
			w.addService()
		default:
			o := w.set.Services[i].Object.DeepCopy()
			w.wishes(o)
			w.set.Services[i].Object, w.touched[objects.NameOf(o)] = o, true
		}
	}
	for len(w.set.Services) < w.services {
		w.addService()
	}
	switch w.rng.IntN(12) {
	case 0:
		w.addPool()
	case 1:
		w.dropPool()
	case 2, 3:
		w.changePool()
	}
}

// write puts a result into the status of Services, as the agent does.
func (w *world) write(r *ipam.Result) {
	for i := range w.set.Services {
		s := &w.set.Services[i]
		a := r.Of(objects.NameOf(s.Object))
		if a == nil || a.Outcome != ipam.Served && a.Outcome != ipam.Released {
			continue
		}
		o := s.Object.DeepCopy()
		o.Status.LoadBalancer.Ingress = a.Ingress(o.Status.LoadBalancer.Ingress)
		o.Status.Conditions = []metav1.Condition{{Type: objects.AllocatedCondition, Message: objects.AllocatedMessage(a.Addrs(), "")}}
		if a.Outcome == ipam.Released {
			o.Status.Conditions = nil
		}
		s.Object = o
	}
}

// pooled reports whether a pool has the address, whatever else.
func (w *world) pooled(a netip.Addr) bool {
	for _, p := range w.set.CiliumPools {
		for _, b := range p.Object.Spec.Blocks {
			if netip.MustParsePrefix(b.CIDR).Contains(a) {
				return true
			}
		}
	}
	for _, p := range w.set.MetalLBPools {
		for _, text := range p.Object.Spec.Addresses {
			last := a.AsSlice()[len(a.AsSlice())-1]
			if p.Object.Spec.AvoidBuggyIPs && a.Is4() && (last == 0 || last == 255) {
				continue
			}
			if netip.MustParsePrefix(text).Contains(a) {
				return true
			}
		}
	}
	return false
}

func (w *world) shuffled() *objects.Set {
	set := w.set
	set.Services, set.CiliumPools, set.MetalLBPools = slices.Clone(set.Services), slices.Clone(set.CiliumPools), slices.Clone(set.MetalLBPools)
	w.rng.Shuffle(len(set.Services), func(i, j int) { set.Services[i], set.Services[j] = set.Services[j], set.Services[i] })
	w.rng.Shuffle(len(set.CiliumPools), func(i, j int) { set.CiliumPools[i], set.CiliumPools[j] = set.CiliumPools[j], set.CiliumPools[i] })
	w.rng.Shuffle(len(set.MetalLBPools), func(i, j int) { set.MetalLBPools[i], set.MetalLBPools[j] = set.MetalLBPools[j], set.MetalLBPools[i] })
	return &set
}

// checkOwners wants no two Services with one address, unless they share it.
func (w *world) checkOwners(t *testing.T, r *ipam.Result) {
	t.Helper()
	by := make(map[objects.Name]*corev1.Service)
	for _, s := range w.set.Services {
		by[objects.NameOf(s.Object)] = s.Object
	}
	owners := make(map[netip.Addr][]*corev1.Service)
	for i := range r.Services {
		a := &r.Services[i]
		if a.Outcome != ipam.Served {
			continue
		}
		o := by[a.Service]
		for _, x := range a.Addresses {
			for _, other := range owners[x.Addr] {
				if !mayShare(o, other) {
					t.Fatalf("%s and %s/%s have %s", a.Service, other.Namespace, other.Name, x.Addr)
				}
			}
			owners[x.Addr] = append(owners[x.Addr], o)
			if !w.pooled(x.Addr) {
				t.Fatalf("%s has %s, which no pool has", a.Service, x.Addr)
			}
			family := corev1.IPv4Protocol
			if ir.FamilyOf(x.Addr) == ir.IPv6 {
				family = corev1.IPv6Protocol
			}
			if !slices.Contains(o.Spec.IPFamilies, family) {
				t.Fatalf("%s has %s of another family", a.Service, x.Addr)
			}
		}
	}
}

func mayShare(a, b *corev1.Service) bool {
	one, two := a.Annotations[objects.CiliumSharingKey], b.Annotations[objects.CiliumSharingKey]
	cilium := one != "" && one == two && a.Namespace == b.Namespace
	one, two = a.Annotations[objects.MetalLBAllowSharedIP], b.Annotations[objects.MetalLBAllowSharedIP]
	return (cilium || one != "" && one == two) && a.Spec.Ports[0].Port != b.Spec.Ports[0].Port
}

// checkMoves wants a cause for each address that was lost.
func (w *world) checkMoves(t *testing.T, r *ipam.Result) {
	t.Helper()
	for i := range r.Services {
		a := &r.Services[i]
		for _, l := range a.Lost {
			switch {
			case w.touched[a.Service], a.Outcome == ipam.Released, !w.pooled(l.Addr):
			case strings.HasPrefix(l.Why, "Service "): // with which it cannot share it any more
			case w.pools && strings.HasSuffix(l.Why, "does not select the Service any more"):
			default:
				t.Fatalf("%s lost %s: %s", a.Service, l.Addr, l.Why)
			}
		}
	}
}

// TestHistories changes a cluster again and again, and writes each result into it.
func TestHistories(t *testing.T) {
	sizes := []int{30, 300, 10000}
	if testing.Short() {
		sizes = sizes[:2]
	}
	for seed, size := range sizes {
		w := newWorld(uint64(seed), size)
		for range 40 {
			r := ipam.Allocate(&w.set, ipam.Settings{})
			w.checkOwners(t, &r)
			w.checkMoves(t, &r)
			if again := ipam.Allocate(w.shuffled(), ipam.Settings{}); !reflect.DeepEqual(again, r) {
				t.Fatal("the order of objects changes the result")
			}
			w.write(&r)
			settled := ipam.Allocate(&w.set, ipam.Settings{})
			for i := range settled.Services {
				if now, was := settled.Services[i].Addrs(), r.Services[i].Addrs(); !slices.Equal(now, was) {
					t.Fatalf("%s: %v, and at once %v", r.Services[i].Service, was, now)
				}
			}
			w.step()
		}
	}
}

func BenchmarkAllocate(b *testing.B) {
	for _, size := range []int{1000, 10000, 100000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			w := newWorld(7, size)
			for b.Loop() {
				ipam.Allocate(&w.set, ipam.Settings{})
			}
		})
	}
}
