package objects_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/diag"
)

// written is where an object of a tier stands: the tier is what tells objects apart.
type written struct {
	file, tier string
	line       int
	// created is in days; 0 is an object without an age.
	created int
}

func (w written) meta() metav1.ObjectMeta {
	m := metav1.ObjectMeta{Namespace: "shop", Name: "web"}
	if w.created > 0 {
		m.CreationTimestamp = metav1.NewTime(time.Unix(0, 0).AddDate(0, 0, w.created))
	}
	return m
}

func at[T any](o T, w written) objects.Sourced[T] {
	return objects.Sourced[T]{Object: o, File: w.file, Line: w.line}
}

// pairs is a set of Services and Deployments of one name, as they are written.
func pairs(services, workloads []written) objects.Set {
	var set objects.Set
	for _, w := range services {
		set.Services = append(set.Services, at(&corev1.Service{ObjectMeta: w.meta(), Spec: corev1.ServiceSpec{ClusterIP: w.tier}}, w))
	}
	for _, w := range workloads {
		set.Workloads = append(set.Workloads, at(&objects.Workload{Kind: "Deployment", ObjectMeta: w.meta(), PodLabels: map[string]string{"tier": w.tier}}, w))
	}
	return set
}

// TestDeduplicate wants a Service and a workload of one place, the older of two, one
// object of those that say the same, and a word about every object that is not used.
func TestDeduplicate(t *testing.T) {
	for _, c := range []struct {
		name                string
		services, workloads []written
		service, workload   string
		said                string
	}{
		{"one of each", []written{{"a.yaml", "x", 1, 0}}, []written{{"a.yaml", "x", 5, 0}}, "x", "x", ""},
		{"the same twice", []written{{"a.yaml", "x", 1, 0}, {"b.yaml", "x", 1, 0}}, nil, "x", "", ""},
		{"the same, of the cluster and of a file", []written{{"a.yaml", "x", 1, 0}, {"b.yaml", "x", 1, 7}}, nil, "x", "", ""},
		{
			"two overlays, each in a file",
			[]written{{"a/app.yaml", "x", 1, 0}, {"b/app.yaml", "y", 1, 0}},
			[]written{{"a/app.yaml", "9", 5, 0}, {"b/app.yaml", "1", 5, 0}},
			"y", "1", "Deployment a/app.yaml:5 Service a/app.yaml:1",
		},
		{
			"two overlays of two files",
			[]written{{"b/s.yaml", "x", 1, 0}, {"a/s.yaml", "y", 1, 0}},
			[]written{{"b/w.yaml", "9", 1, 0}, {"a/w.yaml", "1", 1, 0}},
			"y", "1", "Deployment b/w.yaml:1 Service b/s.yaml:1",
		},
		{
			"two overlays in one file",
			[]written{{"a.yaml", "x", 1, 0}, {"a.yaml", "y", 20, 0}},
			[]written{{"a.yaml", "9", 5, 0}, {"a.yaml", "1", 25, 0}},
			"y", "1", "Deployment a.yaml:5 Service a.yaml:1",
		},
		{
			"the place of the oldest",
			[]written{{"a/app.yaml", "x", 1, 3}, {"b/app.yaml", "y", 1, 0}},
			[]written{{"a/app.yaml", "9", 5, 0}, {"b/app.yaml", "1", 5, 0}},
			"x", "9", "Deployment b/app.yaml:5 Service b/app.yaml:1",
		},
		{
			"one that stands in another place alone",
			[]written{{"a/app.yaml", "y", 1, 0}, {"b/app.yaml", "z", 1, 0}},
			[]written{{"a/app.yaml", "9", 5, 0}, {"b/app.yaml", "8", 5, 0}, {"c/w.yaml", "1", 1, 0}},
			"z", "8", "Deployment a/app.yaml:5 Deployment c/w.yaml:1 Service a/app.yaml:1",
		},
	} {
		for try := range 20 {
			rng := rand.New(rand.NewPCG(uint64(try), 1))
			rng.Shuffle(len(c.services), func(i, j int) { c.services[i], c.services[j] = c.services[j], c.services[i] })
			rng.Shuffle(len(c.workloads), func(i, j int) { c.workloads[i], c.workloads[j] = c.workloads[j], c.workloads[i] })
			set := pairs(c.services, c.workloads)
			var diags diag.List
			set.Deduplicate(&diags)
			var said []string
			for _, d := range diags {
				if d.Severity() != diag.Error || !strings.Contains(d.Message, ".yaml:") {
					t.Errorf("%s: %v", c.name, d)
				}
				said = append(said, d.Origin.Kind+" "+d.Origin.Position())
			}
			slices.Sort(said)
			service, workload := set.Services[0].Object.Spec.ClusterIP, ""
			if len(set.Workloads) > 0 {
				workload = set.Workloads[0].Object.PodLabels["tier"]
			}
			if len(set.Services) != 1 || len(set.Workloads) > 1 || service != c.service || workload != c.workload || strings.Join(said, " ") != c.said {
				t.Fatalf("%s: Service %s, Deployment %s; said of %v", c.name, service, workload, said)
			}
		}
	}
}

// TestDeduplicateNames renames the files and shuffles the objects of random sets: what is
// used depends on neither.
func TestDeduplicateNames(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var policies []written
		for i := range 2 + rng.IntN(6) {
			policies = append(policies, written{fmt.Sprintf("%c/%c.yaml", 'a'+rng.IntN(3), 'a'+rng.IntN(2)), fmt.Sprint(rng.IntN(4)), 1 + 10*i, rng.IntN(2) * rng.IntN(3)})
		}
		want := ""
		for try := range 6 {
			all := slices.Clone(policies)
			for i := range all {
				if dir, file, _ := strings.Cut(all[i].file, "/"); try%2 == 1 {
					all[i].file = string('z'-dir[0]+'a') + "/" + file
				}
			}
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			var set objects.Set
			for _, w := range all {
				set.NetworkPolicies = append(set.NetworkPolicies, at(&networkingv1.NetworkPolicy{
					ObjectMeta: w.meta(), Spec: networkingv1.NetworkPolicySpec{PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tier": w.tier}}},
				}, w))
			}
			set.Deduplicate(new(diag.List))
			got := set.NetworkPolicies[0].Object.Spec.PodSelector.MatchLabels["tier"]
			if want == "" {
				want = got
			}
			if got != want || len(set.NetworkPolicies) != 1 {
				t.Fatalf("seed %d: %s is used, and %s before: %v", seed, got, want, all)
			}
		}
	}
}

// TestOpaque leaves objects of kinds that planec does not know alone: two kinds may have
// one name.
func TestOpaque(t *testing.T) {
	set := objects.Set{Workloads: []objects.Sourced[*objects.Workload]{
		at(&objects.Workload{Kind: "Certificate", Opaque: true, ObjectMeta: written{}.meta()}, written{file: "a.yaml"}),
		at(&objects.Workload{Kind: "Certificate", Opaque: true, ObjectMeta: written{created: 1}.meta()}, written{file: "b.yaml"}),
	}}
	var diags diag.List
	if set.Deduplicate(&diags); len(set.Workloads) != 2 || len(diags) > 0 {
		t.Errorf("left are %d, said is %v", len(set.Workloads), diags)
	}
}
