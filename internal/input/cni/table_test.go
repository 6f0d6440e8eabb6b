package cni_test

import (
	"bytes"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/input/cni"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/ir"
)

var update = flag.Bool("update", false, "write docs/cni.md")

// wanted are the systems that the table was asked to have.
var wanted = []string{
	"aci", "antrea", "aws-vpc-cni", "azure-cni", "calico", "calico-nftables", "calico-ebpf", "canal", "cilium", "cilium-chained", "cni-genie",
	"cni-ipvlan-vpc-k8s", "coil", "contiv", "contrail", "danm", "flannel", "kubenet", "gke-dataplane-v2", "jaguar", "k-vswitch", "kindnet", "knitter",
	"kube-ovn", "kube-router", "bridge", "multus", "nsx-t", "ovs", "ovn-kubernetes", "nodus", "romana", "weave",
}

func TestEverySystemIsThereOnce(t *testing.T) {
	word := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	seen := map[string]string{cni.Auto: "the word for detection"}
	var names []string
	for _, s := range cni.Systems() {
		names = append(names, s.Name)
		for _, n := range append([]string{s.Name}, s.Aliases...) {
			if other, twice := seen[n]; twice || !word.MatchString(n) {
				t.Errorf("%s: %q is of %q too, or no word", s.Name, n, other)
			}
			seen[n] = s.Name
			if found, err := cni.Lookup(n); err != nil || found.Name != s.Name {
				t.Errorf("%q: %v, %v", n, found, err)
			}
		}
	}
	for _, n := range wanted {
		if !slices.Contains(names, n) {
			t.Errorf("%s is not in the table", n)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("not sorted: %v", names)
	}
	if _, err := cni.Lookup("flanel"); err == nil || !strings.Contains(err.Error(), "did you mean flannel?") {
		t.Error(err)
	}
}

func TestEveryRowIsWhole(t *testing.T) {
	for _, s := range cni.Systems() {
		if s.Title == "" || s.Why == "" || s.Egress == "" || s.Policy == "" || s.Services == "" || s.Sure == "" || len(s.Sources) == 0 {
			t.Errorf("%s: a field is empty: %+v", s.Name, s)
		}
		if s.DetectLocal == cni.Unknown {
			if len(s.Give) == 0 {
				t.Errorf("%s: what must the user give?", s.Name)
			}
		} else if _, err := nodeconfig.ParseDetectLocal(s.DetectLocal); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if s.Sure != cni.Read && len(s.Doubts) == 0 {
			t.Errorf("%s is only %s: what is in doubt?", s.Name, s.Sure)
		}
		if (s.Conflicts() || s.Services == cni.MayServe) && len(s.SwitchOff) == 0 {
			t.Errorf("%s: what is to be switched off?", s.Name)
		}
		if len(s.NonMasquerade) > 0 && s.Egress != cni.ByNode {
			t.Errorf("%s: the preset masquerades what is %s's to masquerade", s.Name, s.Egress)
		}
		for _, at := range s.Sources {
			if u, err := url.Parse(at); err != nil || u.Scheme != "https" || u.Host == "" {
				t.Errorf("%s: %q is no address", s.Name, at)
			}
		}
		for _, list := range [][]string{{s.Why}, s.Give, s.SwitchOff, s.Doubts} {
			for _, sentence := range list {
				if strings.HasSuffix(sentence, ".") || strings.TrimSpace(sentence) != sentence || sentence == "" {
					t.Errorf("%s: %q", s.Name, sentence)
				}
			}
		}
	}
}

func TestMarksAreMasked(t *testing.T) {
	for _, s := range cni.Systems() {
		for _, m := range s.Marks {
			if m.Mask == 0 || m.Value&^m.Mask != 0 || m.Use == "" {
				t.Errorf("%s: %v %q", s.Name, m, m.Use)
			}
			if m.Shared && m.Mask != 1<<14 {
				t.Errorf("%s: %v is not kube-proxy's bit", s.Name, m)
			}
		}
		if bit, ok := s.FreeBit(); !ok || s.Taken()&(1<<bit) != 0 {
			t.Errorf("%s: bit %d, %v", s.Name, bit, ok)
		}
		for _, p := range s.Ports {
			if p.Number == 0 || p.Protocol != "TCP" && p.Protocol != "UDP" {
				t.Errorf("%s: %v", s.Name, p)
			}
		}
	}
}

func TestFreeBit(t *testing.T) {
	for _, c := range []struct {
		mask uint32
		want int
		ok   bool
	}{{0, 14, true}, {0xffff0000, 14, true}, {0x4000, 16, true}, {0xffff4000, 13, true}, {0x1ffff, 17, true}, {0xffff7fff, 0, false}, {0xffffffff, 0, false}} {
		s := cni.System{Marks: []cni.Mark{{Mask: c.mask}}}
		if got, ok := s.FreeBit(); got != c.want || ok != c.ok {
			t.Errorf("%#x: %d, %v; want %d, %v", c.mask, got, ok, c.want, c.ok)
		}
	}
	shared := cni.System{Marks: []cni.Mark{{Value: 0x4000, Mask: 0x4000, Shared: true}}}
	if bit, _ := shared.FreeBit(); bit != 14 || !shared.SharesBit() || len(shared.On(1<<14)) != 0 {
		t.Error("kube-proxy's own bit counts as taken")
	}
}

// TestSignsAreOfOneSystem: a type has one system that it stands for, and what tells systems
// apart is no other one's with that type.
func TestSignsAreOfOneSystem(t *testing.T) {
	fallback, daemonSets := map[string]string{}, map[string]string{}
	for _, s := range cni.Systems() {
		for _, kind := range s.Signs.Types {
			if other := fallback[kind]; s.Signs.Fallback && other != "" {
				t.Errorf("%s stands for %s and %s", kind, other, s.Name)
			} else if s.Signs.Fallback {
				fallback[kind] = s.Name
			}
		}
		for _, name := range s.Signs.DaemonSets {
			if other, twice := daemonSets[name]; twice {
				t.Errorf("DaemonSet %s is of %s and %s", name, other, s.Name)
			}
			daemonSets[name] = s.Name
		}
		for _, name := range s.Signs.Interfaces {
			if !ir.ValidInterface(strings.TrimSuffix(name, "*")) {
				t.Errorf("%s: %q", s.Name, name)
			}
		}
	}
}

// TestLayouts: a row says of a layout that it works only by a test that exists.
func TestLayouts(t *testing.T) {
	known := map[string]bool{}
	for _, l := range cni.Layouts() {
		known[l.Name] = true
		if l.Test != "" && !testExists(t, l.Test) {
			t.Errorf("layout %s: internal/testing/cnilayout has no %s", l.Name, l.Test)
		}
	}
	for _, s := range cni.Systems() {
		for _, name := range s.Layouts {
			if !known[name] {
				t.Errorf("%s: there is no layout %q", s.Name, name)
			}
		}
		if len(s.Tests()) != len(s.Layouts) {
			t.Errorf("%s: %v", s.Name, s.Tests())
		}
	}
}

func testExists(t *testing.T, name string) bool {
	t.Helper()
	files, err := filepath.Glob("../../testing/cnilayout/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("func "+name+"(")) {
			return true
		}
	}
	return false
}

// TestDocument keeps docs/cni.md equal to the table.
func TestDocument(t *testing.T) {
	const path = "../../../docs/cni.md"
	if *update {
		if err := os.WriteFile(path, cni.Reference(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, cni.Reference()) {
		t.Errorf("%s is not what the table says (go test ./internal/input/cni -update): %v", path, err)
	}
}
