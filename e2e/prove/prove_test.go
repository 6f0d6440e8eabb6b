// Package prove proves that kube-proxy's own rules mean what planec's program says. For each
// generated cluster, kube-proxy's packages write their rules into the kernel of a network
// namespace, and what the kernel lists is compared for every packet.
package prove

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	kubeproxyconfig "k8s.io/kubernetes/pkg/proxy/apis/config"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/interp/foreign"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/uml"
	"github.com/planec/planec/ir/eval"
)

var (
	clusters = flag.Int("clusters", 200, "how many generated clusters to compare in each mode")
	first    = flag.Uint64("seed", 1, "the first seed")
)

// failures are those of all kube-proxies, which share one log.
var failures = &complaints{}

// TestMain silences kube-proxy: it logs what it finds in an empty kernel as errors. It also
// serves User Mode Linux: inside, this binary is the init process.
func TestMain(m *testing.M) {
	uml.Init()
	klog.SetLogger(logr.New(failures))
	os.Exit(m.Run())
}

// TestNFTables proves kube-proxy's nftables mode for generated clusters.
func TestNFTables(t *testing.T) { compareAll(t, kubeproxyconfig.ProxyModeNFTables) }

// TestIPTables proves kube-proxy's iptables mode for generated clusters.
func TestIPTables(t *testing.T) { compareAll(t, kubeproxyconfig.ProxyModeIPTables) }

func compareAll(t *testing.T, mode kubeproxyconfig.ProxyMode) {
	if uml.Inside() {
		t.Skip("it needs no other kernel")
	}
	var n tally
	for seed := *first; seed < *first+uint64(*clusters); seed++ {
		k := generated(seed, mode)
		texts, err := k.rules()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		n.add(compare(t, seed, &k, texts))
	}
	n.log(t)
}

// tally counts clusters, sets of packets, and documented differences.
type tally struct {
	clusters, boxes, equal int
	meant                  map[string]int
}

func (n *tally) add(a proof.Against) {
	if n.meant == nil {
		n.meant = make(map[string]int)
	}
	n.clusters++
	n.boxes += a.Boxes
	if len(a.Meant) == 0 && len(a.Differences) == 0 {
		n.equal++
	}
	for _, m := range a.Meant {
		n.meant[m.Class]++
	}
}

func (n *tally) log(t *testing.T) {
	t.Logf("%d clusters, %d sets of packets, %d clusters without any difference; clusters with documented ones: %v", n.clusters, n.boxes, n.equal, n.meant)
}

// generated is kube-proxy on the node of a generated cluster.
func generated(seed uint64, mode kubeproxyconfig.ProxyMode) kubeProxy {
	k := kubeProxy{randomcluster.New(seed), randomcluster.Node, mode}
	if seed%4 == 0 { // an address besides the Node's own
		k.Config.LocalAddresses = []netip.Addr{netip.MustParseAddr("198.18.0.9")}
	}
	if mode == kubeproxyconfig.ProxyModeIPVS {
		k.healthChecks()
	}
	return k
}

// healthChecks gives Services the ports that the API server would: IPVS mode opens them at
// virtual addresses.
func (k *kubeProxy) healthChecks() {
	for i, s := range k.Objects.Services {
		if spec := &s.Object.Spec; spec.Type == corev1.ServiceTypeLoadBalancer && spec.ExternalTrafficPolicy == corev1.ServiceExternalTrafficPolicyLocal {
			spec.HealthCheckNodePort = 32100 + int32(i)
		}
	}
}

func compare(t *testing.T, seed uint64, k *kubeProxy, texts [][]byte) proof.Against {
	t.Helper()
	var files []foreign.File
	for i, text := range texts {
		files = append(files, foreign.File{Name: fmt.Sprintf("listing %d", i+1), Text: text})
	}
	program, found := compiler.Compile(compiler.Input{Objects: &k.Objects, Node: k.name, Config: k.Config})
	a, err := proof.CompareForeign(program, proof.Facts{Found: found, Elsewhere: k.Objects.Elsewhere(k.name)}, files, 3)
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
		return a
	}
	for _, d := range a.Differences {
		t.Errorf("seed %d: %v, %v: %s\nplanec: %s\nkube-proxy: %s\n%v", seed, d.Packet, d.Packet.State, d.Reason, proof.Outcome(&d.Want), proof.Outcome(&d.Got), rulesOf(d.Got))
	}
	return a
}

// rulesOf are the rules that matched.
func rulesOf(r eval.Result) string {
	var b strings.Builder
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "  %s: %.150s\n", s.Stage, s.Text)
	}
	return b.String()
}
