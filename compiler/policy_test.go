package compiler_test

import (
	"net/netip"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/ir"
)

// TestOnlyWhatOwnPodsNeed compiles every node of a cluster: subjects are the
// node's own pods, all of those that policies select, and every address and name
// is there because a rule of theirs asks for it.
func TestOnlyWhatOwnPodsNeed(t *testing.T) {
	set := clustergen.PolicyObjects(clustergen.PolicySize{Pods: 300, Nodes: 6, Namespaces: 20, Policies: 20})
	cluster := compiler.Prepare(&set, objects.Config{})
	home := make(map[string]string)
	selected := make(map[string]bool)
	for _, p := range set.Pods {
		home[p.Object.Namespace+"/"+p.Object.Name] = p.Object.Spec.NodeName
		for _, policy := range set.NetworkPolicies {
			if policy.Object.Namespace == p.Object.Namespace && policy.Object.Spec.PodSelector.MatchLabels["app"] == p.Object.Labels["app"] {
				selected[p.Object.Namespace+"/"+p.Object.Name] = true
			}
		}
	}
	if len(selected) < 30 {
		t.Fatalf("only %d pods are selected", len(selected))
	}
	for _, node := range cluster.Nodes() {
		p, _ := cluster.Program(node)
		needed := make(map[string]bool)
		for _, profile := range p.Policy.Profiles {
			for _, pod := range profile.Pods {
				delete(selected, pod.Namespace+"/"+pod.Name)
				if home[pod.Namespace+"/"+pod.Name] != node {
					t.Errorf("%s: %s/%s is on %s", node, pod.Namespace, pod.Name, home[pod.Namespace+"/"+pod.Name])
				}
			}
			for _, d := range ir.Directions() {
				for _, tier := range profile.Tiers(d) {
					for _, r := range tier.Rules {
						for _, id := range r.Peers {
							needed[id] = true
						}
					}
				}
			}
		}
		held := make(map[netip.Addr]bool)
		for _, s := range p.Policy.AddressSets {
			if !needed[s.ID] {
				t.Errorf("%s: no rule needs %s", node, s.ID)
			}
			for _, a := range s.Addresses {
				held[a] = true
			}
		}
		for _, peer := range p.Policy.Peers {
			if !held[peer.Address] {
				t.Errorf("%s: %v is in no set", node, peer)
			}
		}
	}
	if len(selected) > 0 {
		t.Errorf("policies select pods that no node has as subjects: %v", selected)
	}
}
