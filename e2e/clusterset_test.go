package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/planec/planec/compiler/dns"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/objects/mcs"
	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/cluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// importDefinitions are as small as the API server takes them: the project's own are no module of this one.
const importDefinitions = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: serviceimports.multicluster.x-k8s.io
  annotations: {api-approved.kubernetes.io: "https://github.com/kubernetes-sigs/mcs-api"}
spec:
  group: multicluster.x-k8s.io
  names: {kind: ServiceImport, plural: serviceimports}
  scope: Namespaced
  versions:
  - {name: v1beta1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
  - {name: v1alpha1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
`

// someImport has the networks that importCIDRs says.
const (
	importCIDRs = "241.0.0.0/16"
	someImport  = `apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceImport
metadata: {namespace: default, name: payments}
spec: {type: ClusterSetIP, ips: [241.0.2.7], ports: [{name: api, port: 80, protocol: TCP}]}
`
)

// imports makes ServiceImports and the slices of several clusters in one namespace.
type imports struct {
	names
	list []objects.Sourced[*mcs.ServiceImport]
}

// create writes them to the API server.
func (g *imports) create(ctx context.Context, s *stand) error {
	_, err := s.Client().CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: g.namespace}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	for i := range servicesNamespace {
		o := g.one(i)
		g.list = append(g.list, objects.Sourced[*mcs.ServiceImport]{Object: o})
		text, err := yaml.Marshal(o)
		if err != nil {
			return err
		}
		if err := s.Apply(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		for j, cluster := range []string{"east", "west"}[:g.IntN(3)] {
			if _, err := s.Client().DiscoveryV1().EndpointSlices(g.namespace).Create(ctx, g.of(o, cluster, j), metav1.CreateOptions{}); err != nil {
				return fmt.Errorf("slice of %s: %w", o.Name, err)
			}
		}
	}
	return nil
}

func (g *imports) one(i int) *mcs.ServiceImport {
	o := &mcs.ServiceImport{
		TypeMeta:   metav1.TypeMeta{APIVersion: mcs.Group + "/" + mcs.Beta, Kind: mcs.KindServiceImport},
		ObjectMeta: metav1.ObjectMeta{Namespace: g.namespace, Name: fmt.Sprintf("i%d", i)},
		Spec:       mcs.ServiceImportSpec{Type: mcs.Headless},
	}
	if g.chance(60) {
		o.Spec.Type = mcs.ClusterSetIP
		number := byte(i + g.round*servicesNamespace)
		o.Spec.IPs = []string{netip.AddrFrom4([4]byte{241, 0, 1, number}).String()}
		if g.chance(40) {
			o.Spec.IPs = append(o.Spec.IPs, netip.AddrFrom16([16]byte{0xfd, 0, 0x02, 0x41, 15: number}).String())
		}
	}
	for j := range 1 + g.IntN(3) {
		o.Spec.Ports = append(o.Spec.Ports, mcs.ServicePort{
			Name: fmt.Sprintf("p%d", j), Port: int32(80 + j), Protocol: []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP}[g.IntN(2)],
		})
	}
	return o
}

// of is a slice of an import in a cluster.
func (g *imports) of(o *mcs.ServiceImport, cluster string, j int) *discoveryv1.EndpointSlice {
	service := &corev1.Service{ObjectMeta: o.ObjectMeta}
	for _, p := range o.Spec.Ports {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: p.Name, Port: p.Port, Protocol: p.Protocol})
	}
	out := g.slice(service, j)
	out.Labels = map[string]string{mcs.LabelServiceName: o.Name, objects.SourceClusterLabel: cluster}
	return out
}

// TestClusterSetDNS asks the real CoreDNS every question about the names of several clusters that
// planec has a record for, and as many that it has none for.
//
// Two things are as the specification in KEP-1645 has them, and not asked, as CoreDNS differs: it has no names of
// addresses for imports, and gives its own cluster's version of the DNS schema (1.1.0) for these zones too.
func TestClusterSetDNS(t *testing.T) {
	s := newStand(t, tools...)
	ctx := within(t, 4*time.Minute)
	applySoon(t, s.Cluster, importDefinitions, someImport)
	var all imports
	for i := range dnsNamespaces / 2 {
		g := &imports{names: names{Rand: rand.New(rand.NewPCG(2, uint64(i))), namespace: fmt.Sprintf("imports-%d", i), round: i}}
		must(t, g.create(ctx, s))
		all.list = append(all.list, g.list...)
	}
	set := s.listed(t)
	set.ServiceImports = all.list // someImport is not one of them
	zones, _, err := dns.Zones(set, dns.Options{})
	must(t, err)
	at := slices.IndexFunc(zones, func(z dns.Zone) bool { return z.Name == dns.ClusterSetZone+"." })
	zones = zones[at : at+1]
	s.coreDNS(t, dns.ClusterSetZone)
	version := question{name: "dns-version." + zones[0].Name, kind: "TXT"}
	asked := s.answers(ctx, t, zones, slices.DeleteFunc(questions(zones, &objects.Set{}), func(q question) bool { return q == version }))
	parsed(t, zones[0])
	t.Logf("%d questions, for %d records", asked, len(zones[0].Records))
	if len(zones[0].Records) < 300 || asked < len(zones[0].Records) {
		t.Errorf("too few: %d questions, %d records", asked, len(zones[0].Records))
	}
}

// TestServiceImports has the agent, with the rights that deploy/ gives for it, serve an import of
// which two other clusters have endpoints, and follow its slices and the import itself.
func TestServiceImports(t *testing.T) {
	s := newStand(t, tools...)
	ctx := within(t, 2*time.Minute)
	rights, err := os.ReadFile(filepath.Join("..", "deploy", "rbac-imports.yaml"))
	must(t, err)
	a := agent.New(t, s.node, s.agentOptions(t, "nftables", "--service-import-cidr="+importCIDRs))
	must(t, s.Apply(ctx, rights))
	applySoon(t, s.Cluster, importDefinitions, someImport)
	start(t, a)
	slices := s.Client().DiscoveryV1().EndpointSlices(metav1.NamespaceDefault)
	for i, c := range []string{"east", "west"} {
		o := cluster.Slice("payments", "node-of-"+c, targetPort, pods[i])
		o.Name, o.Labels = "payments-"+c, map[string]string{mcs.LabelServiceName: "payments", objects.SourceClusterLabel: c}
		o.Ports[0].Name = new("api")
		_, err := slices.Create(ctx, o, metav1.CreateOptions{})
		must(t, err)
	}
	f := testkit.Flow{From: eval.FromPod, Src: client, Dst: netip.MustParseAddr("241.0.2.7"), Port: 80, Protocol: ir.TCP}
	served(within(t, time.Minute), t, idle{s.rig}, f)
	must(t, slices.Delete(ctx, "payments-east", metav1.DeleteOptions{}))
	s.answeredBy(t, f, pods[1])
	must(t, slices.Delete(ctx, "payments-west", metav1.DeleteOptions{}))
	s.fate(t, "the last endpoint has gone", f, testkit.Refused)
	if n := values(t, a).Sum(agent.Failures); n > 0 {
		t.Errorf("%v failed applies", n)
	}
}

// answeredBy waits until ten connections of a flow in a row are answered by one pod.
func (s *stand) answeredBy(t *testing.T, f testkit.Flow, pod netip.Addr) {
	t.Helper()
	ctx := within(t, 10*time.Second)
	for in := 0; in < 10; {
		outcomes, err := idle{s.rig}.Try(t.Context(), []testkit.Flow{f})
		must(t, err)
		if in++; outcomes[0].Endpoint.Addr() != pod {
			in = 0
		}
		if ctx.Err() != nil {
			t.Fatalf("%v: %v, want %v", f, outcomes[0], pod)
		}
	}
}
