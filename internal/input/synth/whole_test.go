package synth_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/synth"
)

var update = flag.Bool("update", false, "rewrite the files of testdata")

// TestWhole wants all that is made of some inputs, and of the same in another order, to
// be what was read and found right: who is stable is told from who is so by accident.
func TestWhole(t *testing.T) {
	for name, o := range map[string]synth.Options{
		"free":  {},
		"given": {},
		"twice": {},
		"full":  {Nodes: 2, PodCIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/29")}, ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.2.0.0/30")}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", "whole", name)
			text, err := os.ReadFile(path + ".yaml")
			if err != nil {
				t.Fatal(err)
			}
			// Findings about the input are others' to say.
			set, _, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{"-"}, Stdin: strings.NewReader(string(text)), Workloads: true})
			if err != nil {
				t.Fatal(err)
			}
			got := written(t, synth.Complete(&set, o))
			slices.Reverse(set.Workloads)
			slices.Reverse(set.Services)
			slices.Reverse(set.Pods)
			slices.Reverse(set.Nodes)
			if again := written(t, synth.Complete(&set, o)); again != got {
				t.Errorf("another order makes others:\n%s", gocmp.Diff(strings.Split(got, "\n"), strings.Split(again, "\n")))
			}
			if *update {
				if err := os.WriteFile(path+".txt", []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("made are others than before:\n%s", gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")))
			}
		})
	}
}

// TestLimits counts the pods of workloads that have as many as may be, and one more.
func TestLimits(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "whole", "large.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	set := load(t, string(text))
	r := synth.Complete(&set, synth.Options{})
	pods := make(map[string]int)
	for _, p := range r.Set.Pods {
		pods[p.Object.Labels["app"]]++
	}
	if pods["large"] != 1000 || pods["larger"] != 1000 || len(r.Diagnostics) != 1 || !strings.Contains(r.Diagnostics[0].String(), "larger") {
		t.Errorf("made are %v, said is %v", pods, r.Diagnostics)
	}
}

// written is a result as text: what the whole set has, sorted, and what of it was made.
func written(t *testing.T, r synth.Result) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "pods' ranges: %v\nworkloads: %d\n", r.PodCIDRs, len(r.Set.Workloads))
	for _, d := range r.Diagnostics {
		fmt.Fprintln(&b, d)
	}
	for i, set := range []*objects.Set{&r.Set, &r.Made} {
		var lines []string
		lines = append(lines, each(t, "Node", set.Nodes)...)
		lines = append(lines, each(t, "Namespace", set.Namespaces)...)
		lines = append(lines, each(t, "Pod", set.Pods)...)
		lines = append(lines, each(t, "Service", set.Services)...)
		lines = append(lines, each(t, "EndpointSlice", set.EndpointSlices)...)
		slices.Sort(lines)
		for _, l := range lines {
			if i == 1 {
				l, _, _ = strings.Cut(l, " {")
				l = "made: " + l
			}
			fmt.Fprintln(&b, l)
		}
	}
	return b.String()
}

func each[T metav1.Object](t *testing.T, kind string, list []objects.Sourced[T]) []string {
	t.Helper()
	var out []string
	for _, o := range list {
		text, err := json.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %s/%s %d %s", kind, o.Object.GetNamespace(), o.Object.GetName(), o.Line, text))
	}
	return out
}
