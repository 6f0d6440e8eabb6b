package nodeconfig

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

var update = flag.Bool("update", false, "write docs/nodeconfig.md and docs/nodeconfig.schema.json")

// everything has each setting.
const everything = `apiVersion: planec.io/v1alpha1
kind: NodeConfig
node: node-a
clusterCIDR: [10.244.0.0/16, fd00:244::/56]
serviceCIDR: [10.96.0.0/16]
nodePortAddresses: [primary, 192.0.2.0/24]
detectLocal: bridge:cni0
cni: flannel
localAddresses: [192.0.2.7]
clusterName: east
serviceImportCIDR: [241.0.0.0/8]
externalIPs: [198.51.100.0/24]
masqueradeAll: true
masqueradeBit: 0
masqAgent:
  nonMasqueradeCIDRs: [10.0.0.0/8]
  enableIPv6: true
tcpBeLiberal: true
policyDeny: reject
l7: allow
policyTiers: separate
domains: ["192.0.2.7 api.example.com"]
failClosed: true
ipvsScheduler: wrr
bgp: frr
bgpPasswords: true
directPods: true
untrackedPods: true
policiesAtInterfaces: true
podRoutes: auto
podRoutesSubnets: [192.0.2.0/24]
podRoutesMTU: 1400
podRoutesVNI: 7
podRoutesPort: 8472
`

// TestText reads what was written: it is the same.
func TestText(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "apiVersion: planec.io/v1alpha1\nkind: NodeConfig\n", "everything": everything,
		"deny":         "apiVersion: planec.io/v1alpha1\nkind: NodeConfig\nexternalIPs: deny\nnodePortAddresses: all\ndetectLocal: none\n",
		"no ranges":    "apiVersion: planec.io/v1alpha1\nkind: NodeConfig\nmasqAgent: {nonMasqueradeCIDRs: []}\n",
		"many ranges":  "apiVersion: planec.io/v1alpha1\nkind: NodeConfig\nmasqAgent: {cidrLimit: 200, nonMasqueradeCIDRs: [" + strings.TrimSuffix(manyRanges(), ",") + "]}\n",
		"like numbers": "apiVersion: planec.io/v1alpha1\nkind: NodeConfig\nnode: \"0x10\"\n",
	} {
		c, _, err := Read("a.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		written, err := Text(&c, func(s Setting) string { return "of " + s.Name })
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, _, err := Read("b.yaml", written)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, written)
		}
		if d := cmp.Diff(c, again, cmpopts.IgnoreFields(ir.Masquerade{}, "Origin"), cmpopts.IgnoreFields(objects.Config{}, "Hash"), cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); d != "" {
			t.Errorf("%s: %s\n%s", name, d, written)
		}
	}
}

func manyRanges() string {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "10.1.%d.0/32,", 2*i)
	}
	return b.String()
}

// TestSettings holds the table to the reader: it knows all fields that a NodeConfig may have,
// and no others.
func TestSettings(t *testing.T) {
	var names []string
	for _, s := range Settings() {
		names = append(names, s.Name)
		for _, w := range s.Words {
			if !strings.Contains(s.Doc, w) {
				t.Errorf("%s: %q is not in %q", s.Name, w, s.Doc)
			}
		}
	}
	r := &reader{file: "a.yaml"}
	roots := r.documents([]byte(everything+"nothingOfThat: 1\n"), 0)
	r.own(roots[0])
	if err := r.err(); err == nil || !strings.Contains(err.Error(), "nothingOfThat") || strings.Count(err.Error(), "\n") > 0 {
		t.Errorf("%v", err)
	}
	for _, name := range names {
		if nodeAt(roots[0], name) == nil {
			t.Errorf("the test has no %s", name)
		}
	}
	for i := 0; i+1 < len(roots[0].Content); i += 2 {
		if n := roots[0].Content[i].Value; !slices.Contains(append(names, "apiVersion", "kind", "nothingOfThat"), n) {
			t.Errorf("the table has no %s", n)
		}
	}
}

// TestPlaces looks for each setting in both kinds of files.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "own.yaml")
	proxy := filepath.Join(dir, "proxy.yaml")
	if err := os.WriteFile(own, []byte(everything), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(proxy, []byte("apiVersion: v1\nkind: ConfigMap\ndata:\n  config.conf: |\n    apiVersion: kubeproxy.config.k8s.io/v1alpha1\n    kind: KubeProxyConfiguration\n    iptables:\n      masqueradeAll: true\n    clusterCIDR: 10.1.0.0/16\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	places, err := Places(own)
	if err != nil || len(places) != len(Settings()) || places["serviceCIDR"].Line != 5 {
		t.Errorf("%v, %v", places, err)
	}
	places, err = Places(proxy)
	if at := places["masqueradeAll"]; err != nil || len(places) != 2 || at.Line != 8 || at.Path != "iptables.masqueradeAll" || places["clusterCIDR"].Line != 9 {
		t.Errorf("%v, %v", places, err)
	}
}

// TestReference holds the pages in docs to the table.
func TestReference(t *testing.T) {
	for name, want := range map[string][]byte{"nodeconfig.md": Reference(), "nodeconfig.schema.json": Schema()} {
		path := filepath.Join("../../../docs", name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is not what the code says (go test ./internal/input/nodeconfig -update): %v", path, err)
		}
	}
	var again yaml.Node
	if err := yaml.Unmarshal(Schema(), &again); err != nil {
		t.Error(err)
	}
}
