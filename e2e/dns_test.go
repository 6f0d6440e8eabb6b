package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mdns "github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/dns"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/e2e/internal/programs"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/synth"
	"github.com/planec/planec/internal/review/dnswrite"
)

// The server and the size of the generated cluster.
const (
	dnsAddress        = "127.0.0.1:5353"
	readyAddress      = "127.0.0.1:8053"
	dnsNamespaces     = 8
	servicesNamespace = 24
	// exampleRanges have the ClusterIPs of the examples.
	exampleRanges = "10.96.0.0/12,fd00:10:96::/112"
)

// TestDNS asks the real CoreDNS every question that planec has a record for, and as many that
// it has none for: for the objects of the examples, and for generated ones that a real API
// server has accepted.
func TestDNS(t *testing.T) {
	s := standOf(t, "", exampleRanges)
	ctx := within(t, 4*time.Minute)
	must(t, s.examples(ctx, "shop", "gitops/manifests", "policies"))
	for i := range dnsNamespaces {
		g := &names{Rand: rand.New(rand.NewPCG(1, uint64(i))), namespace: fmt.Sprintf("names-%d", i), round: i}
		must(t, g.create(ctx, s))
	}
	zones, _, err := dns.Zones(s.listed(t), dns.Options{})
	must(t, err)
	s.coreDNS(t)
	asked := s.answers(ctx, t, zones, slices.DeleteFunc(questions(zones, s.listed(t)), func(q question) bool { return follows(zones, q) }))
	total := 0
	for _, z := range zones {
		total += len(z.Records)
		parsed(t, z)
	}
	t.Logf("%d questions, for %d records", asked, total)
	if total < 1000 || asked < 2*total/3 {
		t.Errorf("too few: %d questions, %d records", asked, total)
	}
}

// answers wants CoreDNS to answer the questions as planec does, and returns how many there are.
func (s *stand) answers(ctx context.Context, t *testing.T, zones []dns.Zone, list []question) int {
	t.Helper()
	ask := &asker{ctx: ctx, in: s.node}
	for _, q := range list {
		got, err := ask.question(q)
		must(t, err)
		if want := wanted(zones, q); !slices.Equal(got, want) {
			t.Errorf("%s %s\nCoreDNS: %s\nplanec:  %s", q.name, q.kind, strings.Join(got, ", "), strings.Join(want, ", "))
		}
	}
	return len(list)
}

// coreDNS starts the server, with these zones of several clusters, and waits until it knows the cluster.
func (s *stand) coreDNS(t *testing.T, multicluster ...string) {
	t.Helper()
	kubeconfig, err := s.Kubeconfig()
	must(t, err)
	corefile, option := filepath.Join(t.TempDir(), "Corefile"), ""
	if len(multicluster) > 0 {
		option = "multicluster " + strings.Join(multicluster, " ")
	}
	must(t, os.WriteFile(corefile, []byte(fmt.Sprintf(`.:5353 {
	bind 127.0.0.1
	errors
	ready %s
	kubernetes cluster.local %s in-addr.arpa ip6.arpa {
		kubeconfig %s
		%s
	}
}
`, readyAddress, strings.Join(multicluster, " "), kubeconfig, option)), 0o600))
	p := process.New(t, s.node, "coredns", nil, programs.CoreDNS(t), "-conf", corefile)
	must(t, p.Start())
	client := s.node.HTTP()
	must(t, p.Until(within(t, time.Minute), func() error {
		if _, err := process.Get(t.Context(), client, "http://"+readyAddress+"/ready", ""); err != nil {
			return err
		}
		// It may be ready before it listens.
		conn, err := s.node.Dial(t.Context(), "tcp", dnsAddress)
		if err == nil {
			conn.Close()
		}
		return err
	}))
}

// examples writes the objects of directories of examples, whole as --synth makes them.
func (s *stand) examples(ctx context.Context, dirs ...string) error {
	for i, dir := range dirs {
		set, _, err := manifest.Load(ctx, manifest.Options{Paths: []string{filepath.Join("..", "examples", dir)}, Workloads: true})
		if err != nil {
			return err
		}
		set = synth.Complete(&set, synth.Options{Nodes: 2}).Set
		for _, n := range set.Services {
			if i > 0 && n.Object.Spec.ClusterIP != corev1.ClusterIPNone {
				// Another cluster's example may have the same.
				n.Object.Spec.ClusterIP, n.Object.Spec.ClusterIPs = "", nil
			}
			if err := s.example(ctx, &set, n.Object); err != nil {
				return fmt.Errorf("%s: %s/%s: %w", dir, n.Object.Namespace, n.Object.Name, err)
			}
		}
	}
	return nil
}

// example writes one Service and its slices, unless the cluster has such a Service.
func (s *stand) example(ctx context.Context, set *objects.Set, service *corev1.Service) error {
	_, err := s.Client().CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: service.Namespace}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	if _, err := s.Client().CoreV1().Services(service.Namespace).Create(ctx, service, metav1.CreateOptions{}); apierrors.IsAlreadyExists(err) {
		return nil
	} else if err != nil {
		return err
	}
	for _, slice := range set.EndpointSlices {
		if objects.ServiceOf(slice.Object) != objects.NameOf(service) {
			continue
		}
		if _, err := s.Client().DiscoveryV1().EndpointSlices(service.Namespace).Create(ctx, slice.Object, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// listed is what the API server has.
func (s *stand) listed(t *testing.T) *objects.Set {
	t.Helper()
	set := &objects.Set{}
	services, err := s.Client().CoreV1().Services("").List(t.Context(), metav1.ListOptions{})
	must(t, err)
	for i := range services.Items {
		set.Services = append(set.Services, objects.Sourced[*corev1.Service]{Object: &services.Items[i]})
	}
	all, err := s.Client().DiscoveryV1().EndpointSlices("").List(t.Context(), metav1.ListOptions{})
	must(t, err)
	for i := range all.Items {
		set.EndpointSlices = append(set.EndpointSlices, objects.Sourced[*discoveryv1.EndpointSlice]{Object: &all.Items[i]})
	}
	return set
}

// question is a name and a type.
type question struct{ name, kind string }

// questions are those of all records, and those to which the answer is none: other types of
// the same names, names beside them, and endpoints that are not ready.
func questions(zones []dns.Zone, set *objects.Set) []question {
	seen := make(map[question]bool)
	var out []question
	add := func(name string, kinds ...string) {
		for _, k := range kinds {
			if q := (question{name, k}); !seen[q] {
				seen[q] = true
				out = append(out, q)
			}
		}
	}
	for _, z := range zones {
		for _, r := range z.Records {
			switch {
			case strings.HasPrefix(r.Name, "_"):
				add(r.Name, "SRV")
				add("_no"+r.Name[1:], "SRV")
				add(strings.Replace(r.Name, "._tcp.", "._udp.", 1), "SRV")
			case r.Type == dns.PTR:
				add(r.Name, "PTR")
				add("7"+r.Name, "PTR")
			case r.Type == dns.CNAME:
				add(r.Name, "CNAME", "TXT")
				add("no-"+r.Name, "A", "CNAME")
				add("endpoint."+r.Name, "A")
			default:
				add(r.Name, "A", "AAAA", "TXT", "CNAME")
				add("no-"+r.Name, "A", "AAAA")
			}
		}
	}
	zone := zones[0].Name
	for _, s := range set.EndpointSlices {
		service := s.Object.Labels[discoveryv1.LabelServiceName] + "." + s.Object.Namespace + ".svc." + zone
		add(service, "A", "AAAA")
		for _, e := range s.Object.Endpoints {
			if e.Hostname != nil {
				add(*e.Hostname+"."+service, "A", "AAAA")
			}
			for _, a := range e.Addresses {
				add(strings.NewReplacer(".", "-", ":", "-").Replace(a)+"."+service, "A", "AAAA")
				if name, err := mdns.ReverseAddr(a); err == nil {
					add(name, "PTR")
				}
			}
		}
	}
	return out
}

// wanted is planec's answer, as sorted lines of a zone file.
func wanted(zones []dns.Zone, q question) []string {
	var out []string
	for _, z := range zones {
		if !mdns.IsSubDomain(z.Name, q.name) {
			continue
		}
		for i := range z.Records {
			r := &z.Records[i]
			// Where a name stands for another one, that is the answer to all questions but for
			// TXT, which CoreDNS answers with nothing (RFC 1034, section 3.6.2).
			if r.Name == q.name && (string(r.Type) == q.kind || r.Type == dns.CNAME && q.kind != "TXT") {
				out = append(out, fmt.Sprintf("%d %s", r.TTL, dnswrite.Data(r)))
			}
		}
	}
	slices.Sort(out)
	return out
}

// follows reports whether CoreDNS, asked for addresses, follows a name of its own zone: it
// answers with what it finds there, and with nothing where that is nothing.
func follows(zones []dns.Zone, q question) bool {
	return q.kind != "CNAME" && slices.ContainsFunc(zones[0].Records, func(r dns.Record) bool {
		return r.Type == dns.CNAME && r.Name == q.name && mdns.IsSubDomain(zones[0].Name, r.Target)
	})
}

// asker asks from inside of the node's namespace.
type asker struct {
	ctx context.Context
	in  *process.Namespace
	to  *mdns.Conn
}

// question returns the answer as sorted lines of a zone file.
func (a *asker) question(q question) ([]string, error) {
	if a.to == nil {
		conn, err := a.in.Dial(a.ctx, "tcp", dnsAddress)
		if err != nil {
			return nil, err
		}
		a.to = &mdns.Conn{Conn: conn}
	}
	m := new(mdns.Msg)
	m.SetQuestion(q.name, mdns.StringToType[q.kind])
	answer, _, err := new(mdns.Client).ExchangeWithConn(m, a.to)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", q.name, q.kind, err)
	}
	var out []string
	for _, r := range answer.Answer {
		out = append(out, fmt.Sprintf("%d %s", r.Header().Ttl, strings.TrimPrefix(r.String(), r.Header().String())))
	}
	slices.Sort(out)
	return out, nil
}

// parsed checks that a library for DNS reads a zone's file as the records that were written.
func parsed(t *testing.T, z dns.Zone) {
	t.Helper()
	var file strings.Builder
	must(t, dnswrite.Zone(&file, z, dnswrite.Authority{Server: "ns.dns." + z.Name, Serial: 1, TTL: 5}))
	reader := mdns.NewZoneParser(strings.NewReader(file.String()), "", "")
	var got []string
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		got = append(got, fmt.Sprintf("%s %d %s", r.Header().Name, r.Header().Ttl, strings.TrimPrefix(r.String(), r.Header().String())))
	}
	must(t, reader.Err())
	var want []string
	for i := range z.Records {
		r := &z.Records[i]
		want = append(want, fmt.Sprintf("%s %d %s", r.Name, r.TTL, dnswrite.Data(r)))
	}
	if len(got) < 2 || !slices.Equal(got[2:], want) { // SOA and NS come first
		t.Errorf("the file of %s is read as %d records, not %d", z.Name, len(got), len(want))
	}
}
