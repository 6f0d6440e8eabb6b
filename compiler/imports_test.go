package compiler_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/ir"
)

// contest is a small cluster whose Services and imports want the same few addresses.
type contest struct {
	*rand.Rand
	services map[objects.Name]*corev1.Service
	imports  map[objects.Name]*mcs.ServiceImport
	slices   map[objects.Name]*discoveryv1.EndpointSlice
}

func importConfig() objects.Config {
	return objects.Config{ImportCIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}, ClusterName: "east"}
}

func (c *contest) address() string { return fmt.Sprintf("10.96.0.%d", 1+c.IntN(3)) }

func (c *contest) age() metav1.Time {
	if c.IntN(2) == 0 {
		return metav1.Time{}
	}
	return metav1.NewTime(time.Unix(int64(c.IntN(4)), 0))
}

func (c *contest) service() *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("s%d", c.IntN(3)), CreationTimestamp: c.age()}}
	s.Spec.ClusterIP = c.address()
	s.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: int32(80 + c.IntN(2))}}
	switch c.IntN(6) {
	case 0:
		s.Labels = map[string]string{"service.kubernetes.io/service-proxy-name": "other"}
	case 1:
		s.Labels = map[string]string{mcs.LabelServiceName: fmt.Sprintf("s%d", c.IntN(3))}
	case 2:
		s.Spec.ClusterIP = "10.97.0." + s.Name[1:]
		s.Spec.ExternalIPs = []string{c.address()}
	}
	return s
}

func (c *contest) serviceImport() *mcs.ServiceImport {
	i := &mcs.ServiceImport{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("s%d", c.IntN(3)), CreationTimestamp: c.age()}}
	i.Spec = mcs.ServiceImportSpec{Type: mcs.ClusterSetIP, IPs: []string{c.address()}, Ports: []mcs.ServicePort{{Name: "http", Port: int32(80 + c.IntN(2))}}}
	if c.IntN(8) == 0 {
		i.Annotations = map[string]string{mcs.DerivedService: "derived"}
	}
	return i
}

func (c *contest) slice() *discoveryv1.EndpointSlice {
	name, http, node := fmt.Sprintf("s%d", c.IntN(3)), "http", "node-a"
	number := int32(8080)
	s := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("e%d", c.IntN(5)), Labels: map[string]string{}},
		AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: &http, Port: &number}},
		Endpoints: []discoveryv1.Endpoint{{Addresses: []string{fmt.Sprintf("10.244.0.%d", 1+c.IntN(3))}, NodeName: &node}},
	}
	labels := 1 + c.IntN(3)
	if labels&1 != 0 {
		s.Labels[discoveryv1.LabelServiceName] = name
	}
	if labels&2 != 0 {
		s.Labels[mcs.LabelServiceName] = name
	}
	if c.IntN(2) == 0 {
		s.Labels[objects.SourceClusterLabel] = []string{"east", "west"}[c.IntN(2)]
	}
	return s
}

func (c *contest) set() *objects.Set {
	set := c.others()
	for _, s := range c.services {
		set.Services = append(set.Services, objects.Sourced[*corev1.Service]{Object: s})
	}
	for _, s := range c.slices {
		set.EndpointSlices = append(set.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: s})
	}
	return set
}

func (c *contest) others() *objects.Set {
	set := &objects.Set{Nodes: []objects.Sourced[*corev1.Node]{{Object: &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-a"}}}}}
	for _, i := range c.imports {
		set.ServiceImports = append(set.ServiceImports, objects.Sourced[*mcs.ServiceImport]{Object: i})
	}
	return set
}

// step changes one to three objects.
func (c *contest) step() (u compiler.Update) {
	for range 1 + c.IntN(3) {
		gone := c.IntN(4) == 0
		switch c.IntN(3) {
		case 0:
			s := c.service()
			n := objects.NameOf(s)
			if c.services[n] = s; gone {
				delete(c.services, n)
				s = nil
			}
			u.Services = append(u.Services, compiler.ServiceUpdate{Name: n, Service: objects.Sourced[*corev1.Service]{Object: s}})
		case 1:
			i := c.serviceImport()
			if c.imports[objects.NameOf(i)] = i; gone {
				delete(c.imports, objects.NameOf(i))
			}
			u.Others = c.others()
		default:
			s := c.slice()
			n := objects.NameOf(s)
			if c.slices[n] = s; gone {
				delete(c.slices, n)
				s = nil
			}
			u.Slices = append(u.Slices, compiler.SliceUpdate{Name: n, Slice: objects.Sourced[*discoveryv1.EndpointSlice]{Object: s}})
		}
	}
	if u.Others != nil {
		u.Others = c.others() // as it is after all steps
	}
	return u
}

// TestImportsHistories changes Services, imports and slices that want the same addresses, one
// by one: each program is that of a whole compilation, with the same findings; and in all of them no
// import has a match or a ClusterIP that a Service has, served or not.
func TestImportsHistories(t *testing.T) {
	served := 0
	for seed := range uint64(200) {
		c := &contest{
			Rand: rand.New(rand.NewPCG(seed, 4)), services: map[objects.Name]*corev1.Service{},
			imports: map[objects.Name]*mcs.ServiceImport{}, slices: map[objects.Name]*discoveryv1.EndpointSlice{},
		}
		c.step()
		x := compiler.NewIncremental(c.set(), "node-a", importConfig())
		before := x.Program()
		for n := range 20 {
			d := x.Apply(c.step())
			want, diags := compiler.Compile(compiler.Input{Objects: c.set(), Node: "node-a", Config: importConfig()})
			if err := ir.Verify(want); err != nil {
				t.Fatal(err)
			}
			if shared, _ := compiler.Prepare(c.set(), importConfig()).Program("node-a"); string(shared.Text()) != string(want.Text()) {
				t.Fatalf("seed %d, step %d: the program of a prepared cluster is another one\n%s\nwant\n%s", seed, n, shared.Text(), want.Text())
			}
			got := x.Program()
			if string(got.Text()) != string(want.Text()) {
				t.Fatalf("seed %d, step %d: the incremental program is another one\n%s\nwant\n%s", seed, n, got.Text(), want.Text())
			}
			if said := x.Diagnostics(); len(said)+len(diags) > 0 && !reflect.DeepEqual(said, diags) {
				t.Fatalf("seed %d, step %d: other findings\n%v\nwant\n%v", seed, n, said, diags)
			}
			checkDelta(t, seed, n, &d, before, got)
			before = got
			served += c.checkImports(t, want)
		}
	}
	if served < 300 {
		t.Errorf("only %d frontends of imports", served)
	}
}

// checkImports counts the frontends of imports, and reports those that a Service has.
func (c *contest) checkImports(t *testing.T, p *ir.Program) (served int) {
	t.Helper()
	for _, f := range p.Frontends {
		if f.Origin.Get().Kind != mcs.KindServiceImport {
			continue
		}
		served++
		for _, s := range c.services {
			if s.Spec.ClusterIP == f.Match.Address.String() || slices.Contains(s.Spec.ExternalIPs, f.Match.Address.String()) && s.Labels["service.kubernetes.io/service-proxy-name"] == "" {
				t.Fatalf("%s took %v from Service %s", f.ID, f.Match, s.Name)
			}
		}
	}
	return served
}
