package prove

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	kubeproxyconfig "k8s.io/kubernetes/pkg/proxy/apis/config"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/interp/foreign"
	"github.com/planec/planec/internal/proof"
	"github.com/planec/planec/internal/testing/uml"
)

var exampleDir = flag.String("example", "", "the folder of the example, for the test inside User Mode Linux")

// ipvsModules are what kube-proxy's IPVS mode needs of a kernel.
var ipvsModules = []string{
	"ip_vs", "ip_vs_rr", "xt_ipvs", "ip_set", "ip_set_bitmap_port", "ip_set_hash_ip", "ip_set_hash_ipport", "ip_set_hash_ipportip", "ip_set_hash_ipportnet",
	"xt_set", "xt_physdev", "iptable_filter", "iptable_nat", "ip6table_filter", "ip6table_nat", "nf_conntrack", "nf_conntrack_netlink", "dummy", "br_netfilter",
}

// TestIPVS proves kube-proxy's IPVS mode for generated clusters. The whole of kube-proxy's
// proxier runs in User Mode Linux, whose kernel has IPVS; what that kernel lists is compared
// outside.
func TestIPVS(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	uml.Require(t, "ipvsadm", "ipset", "iptables-legacy", "ip6tables-legacy", "ip")
	example, err := filepath.Abs(migration)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Minute)
	defer cancel()
	r, err := uml.Run(ctx, uml.Config{Modules: ipvsModules, Args: []string{
		"-test.run=^TestInsideIPVS$", "-test.v", "-test.timeout=0", fmt.Sprintf("-clusters=%d", *clusters), fmt.Sprintf("-seed=%d", *first), "-example=" + example,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 || !strings.Contains(r.Output, "--- PASS: TestInsideIPVS") {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	t.Logf("kube-proxy ran for %v", r.Took.Round(time.Second))
	var n tally
	for seed := *first; seed < *first+uint64(*clusters); seed++ {
		k := generated(seed, kubeproxyconfig.ProxyModeIPVS)
		n.add(compare(t, seed, &k, [][]byte{r.Files[listingOf(seed)]}))
	}
	n.log(t)
	k := generated(*first, kubeproxyconfig.ProxyModeIPVS)
	loseLines(t, &k, r.Files[listingOf(*first)])
	compareExample(t, filepath.Join(migration, "kube-proxy.ipvs"), r.Files["example"])
}

// losable finds destinations of IPVS, elements of sets, and addresses.
var losable = regexp.MustCompile(`(?m)^(-a|add|[0-9]+:) .*\n`)

// loseLines leaves out one line after the other: the comparison must say something else. Some
// elements of sets do nothing: another set comes first, or the Service has no endpoint.
func loseLines(t *testing.T, k *kubeProxy, text []byte) {
	t.Helper()
	program, found := compiler.Compile(compiler.Input{Objects: &k.Objects, Node: k.name, Config: k.Config})
	says := func(text []byte) string {
		a, err := proof.CompareForeign(program, proof.Facts{Found: found, Elsewhere: k.Objects.Elsewhere(k.name)}, []foreign.File{{Name: "listing", Text: text}}, 1)
		return fmt.Sprintf("%v %d %v", a.Meant, len(a.Differences), err)
	}
	whole, noticed := says(text), 0
	lines := losable.FindAllIndex(text, -1)
	for _, at := range lines {
		line := string(text[at[0]:at[1]])
		switch {
		case says(slices.Concat(text[:at[0]], text[at[1]:])) != whole:
			noticed++
		case !strings.HasPrefix(line, "add ") && !strings.Contains(whole, "{claimed ") && !strings.Contains(whole, "{entries "):
			t.Errorf("not noticed: without %s", line)
		}
	}
	t.Logf("of %d destinations, elements and addresses, the loss of %d is noticed", len(lines), noticed)
	if noticed*5 < len(lines)*4 {
		t.Error("the loss of too many is not noticed")
	}
}

func listingOf(seed uint64) string { return fmt.Sprintf("seed-%d", seed) }

// TestInsideIPVS runs kube-proxy and leaves the listings of each cluster.
func TestInsideIPVS(t *testing.T) {
	if !uml.Inside() {
		t.Skip("TestIPVS runs it")
	}
	legacyTools(t)
	leave := func(name string, k *kubeProxy) {
		texts, err := k.rules()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := os.WriteFile(filepath.Join(uml.OutDir, name), texts[0], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for seed := *first; seed < *first+uint64(*clusters); seed++ {
		k := generated(seed, kubeproxyconfig.ProxyModeIPVS)
		leave(listingOf(seed), &k)
	}
	k := exampleIn(t, *exampleDir, kubeproxyconfig.ProxyModeIPVS)
	leave("example", &k)
}

// legacyTools puts iptables-legacy in the place of iptables: the kernel inside has no nftables.
func legacyTools(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range []string{"iptables", "ip6tables"} {
		for _, verb := range []string{"", "-save", "-restore"} {
			if err := os.Symlink("/usr/sbin/"+tool+"-legacy"+verb, filepath.Join(dir, tool+verb)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// unstable are words that a kernel draws or counts.
var unstable = regexp.MustCompile(`initval 0x[0-9a-f]+|\[[0-9]+:[0-9]+\]`)

// compareExample compares a listing that is committed with what kube-proxy writes today.
func compareExample(t *testing.T, path string, text []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stable := func(b []byte) []string { return sorted(unstable.ReplaceAll(b, nil)) }
	if !slices.Equal(stable(want), stable(text)) {
		t.Errorf("%s differs from what kube-proxy writes; -update writes it", path)
	}
}
