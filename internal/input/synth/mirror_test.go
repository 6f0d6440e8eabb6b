package synth_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/synth"
	"github.com/planec/planec/ir/diag"
)

// described are the slices of a result, a line for each endpoint, in order.
func described(s objects.Set) []string {
	var out []string
	for _, src := range s.EndpointSlices {
		o := src.Object
		var ports []string
		for _, p := range o.Ports {
			ports = append(ports, fmt.Sprintf("%s/%s/%d", *p.Name, *p.Protocol, *p.Port))
		}
		for _, e := range o.Endpoints {
			out = append(out, fmt.Sprint(o.Labels["kubernetes.io/service-name"], " ", o.AddressType, " ", strings.Join(e.Addresses, ","), " ready=", *e.Conditions.Ready, " ", strings.Join(ports, " ")))
		}
	}
	slices.Sort(out)
	return out
}

// TestEndpointsAreMirrored: of Endpoints a Service without a selector gets the slices
// that the mirroring controller makes, a Service with a selector does not, and one with
// slices of its own keeps them.
func TestEndpointsAreMirrored(t *testing.T) {
	set := load(t, `
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.9, ipFamilyPolicy: PreferDualStack, ports: [{name: sql, port: 5432}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: db, namespace: shop}
subsets:
- addresses: [{ip: 192.168.7.1}, {ip: "2001:db8:7::1"}]
  notReadyAddresses: [{ip: 192.168.7.2}]
  ports: [{name: sql, port: 5432}, {name: stats, port: 99, protocol: UDP}]
- addresses: [{ip: 192.168.7.3}]
  ports: [{name: sql, port: 6432}]
---
apiVersion: v1
kind: Service
metadata: {name: unmirrored, namespace: shop}
spec: {clusterIP: 10.96.0.10, ports: [{port: 1}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: unmirrored, namespace: shop, labels: {endpointslice.kubernetes.io/skip-mirror: "true"}}
subsets: [{addresses: [{ip: 192.168.7.4}], ports: [{port: 1}]}]
---
apiVersion: v1
kind: Service
metadata: {name: own, namespace: shop}
spec: {clusterIP: 10.96.0.11, ports: [{port: 1}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: own, namespace: shop}
subsets: [{addresses: [{ip: 192.168.7.5}], ports: [{port: 1}]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: own-1, namespace: shop, labels: {kubernetes.io/service-name: own}}
addressType: IPv4
endpoints: [{addresses: [192.168.7.6], conditions: {ready: true}}]
ports: [{name: "", protocol: TCP, port: 1}]
---
apiVersion: v1
kind: Service
metadata: {name: selects, namespace: shop}
spec: {clusterIP: 10.96.0.12, selector: {app: none}, ports: [{port: 1}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: selects, namespace: shop}
subsets: [{addresses: [{ip: 192.168.7.8}], ports: [{port: 1}]}]
`)
	r := synth.Complete(&set, synth.Options{})
	want := []string{
		"db IPv4 192.168.7.1 ready=true sql/TCP/5432 stats/UDP/99",
		"db IPv4 192.168.7.2 ready=false sql/TCP/5432 stats/UDP/99",
		"db IPv4 192.168.7.3 ready=true sql/TCP/6432",
		"db IPv6 2001:db8:7::1 ready=true sql/TCP/5432 stats/UDP/99",
		"own IPv4 192.168.7.6 ready=true /TCP/1",
	}
	if d := gocmp.Diff(want, described(r.Set)); d != "" {
		t.Error(d)
	}
	if len(r.Diagnostics) != 1 || r.Diagnostics[0].Code != diag.MirroredEndpoints {
		t.Errorf("diagnostics %v, want one about the Endpoints of db", r.Diagnostics)
	}
	for _, s := range r.Set.EndpointSlices {
		if s.File == "" || s.Line == 0 {
			t.Errorf("slice %s names no place", s.Object.Name)
		}
	}
}

// TestGivenAddressesAreNotGivenAgain: a /28 has room for 13 pods, since its first two and its
// last address are not given; one more is in a slice and another one a given pod's.
func TestGivenAddressesAreNotGivenAgain(t *testing.T) {
	for replicas, full := range map[int]bool{11: false, 12: true} {
		set := load(t, fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: there, namespace: shop}
status: {podIP: 10.5.0.3, podIPs: [{ip: 10.5.0.3}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s, namespace: shop, labels: {kubernetes.io/service-name: s}}
addressType: IPv4
endpoints: [{addresses: [10.5.0.4]}]
ports: [{port: 1}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {replicas: %d, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}}}
---
apiVersion: v1
kind: Node
metadata: {name: only}
`, replicas))
		r := synth.Complete(&set, synth.Options{PodCIDRs: []netip.Prefix{netip.MustParsePrefix("10.5.0.0/28")}})
		seen := map[string]bool{"10.5.0.4": true}
		for _, p := range r.Set.Pods {
			if ip := p.Object.Status.PodIP; ip != "" && seen[ip] {
				t.Errorf("%d replicas: %s is given twice", replicas, ip)
			} else {
				seen[ip] = true
			}
		}
		if said := slices.ContainsFunc(r.Diagnostics, func(d diag.Diagnostic) bool { return d.Code == diag.SynthRangeFull }); said != full {
			t.Errorf("%d replicas: the range counts as full: %t, want %t (%v)", replicas, said, full, r.Diagnostics)
		}
	}
}

// TestIndexedJobsNumberTheirPods: a Job with indexes labels its pods with them, and a
// pod that has the name of another workload's is named for its kind.
func TestIndexedJobsNumberTheirPods(t *testing.T) {
	set := load(t, `
apiVersion: batch/v1
kind: Job
metadata: {name: sum, namespace: shop}
spec: {completions: 2, parallelism: 2, completionMode: Indexed, template: {metadata: {labels: {app: sum}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: sum, namespace: shop}
spec: {replicas: 1, serviceName: sum, selector: {matchLabels: {app: other}}, template: {metadata: {labels: {app: other}}}}
`)
	got := make(map[string]string)
	for _, p := range synth.Complete(&set, synth.Options{}).Set.Pods {
		got[p.Object.Name] = p.Object.Labels["batch.kubernetes.io/job-completion-index"]
	}
	if d := gocmp.Diff(map[string]string{"sum-0": "", "sum-0-job": "0", "sum-1": "1"}, got); d != "" {
		t.Error(d)
	}
}

// TestFullNodePortsAreSaid: a Service with more ports than the range has.
func TestFullNodePortsAreSaid(t *testing.T) {
	var b strings.Builder
	for i := range 2800 {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Service\nmetadata: {name: s-%d, namespace: d}\nspec: {clusterIP: 10.96.%d.%d, type: NodePort, selector: {a: b}, ports: [{port: 1}]}\n", i, i/250, i%250+1)
	}
	set := load(t, b.String())
	r := synth.Complete(&set, synth.Options{})
	without := 0
	for _, s := range r.Set.Services {
		if s.Object.Spec.Ports[0].NodePort == 0 {
			without++
		}
	}
	said := 0
	for _, d := range r.Diagnostics {
		if d.Code == diag.SynthRangeFull && d.Origin.Path == "spec.ports[0].nodePort" {
			said++
		}
	}
	if without == 0 || said != without {
		t.Errorf("%d Services have no nodePort and %d findings say so", without, said)
	}
}
