package apisource

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"
)

// TestRights: an agent may list and watch every kind that a feature watches, by the files that
// its documentation names.
func TestRights(t *testing.T) {
	for file, all := range map[string][]kind{"rbac-bgp.yaml": bgpKinds(), "rbac-layer2.yaml": layer2Kinds(), "rbac-addresses.yaml": addressKinds()} {
		var rules []rbacv1.PolicyRule
		for _, name := range []string{"rbac.yaml", file} {
			text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", name))
			if err != nil {
				t.Fatal(err)
			}
			for _, doc := range bytes.Split(text, []byte("\n---\n")) {
				var role rbacv1.ClusterRole
				if err := yaml.Unmarshal(doc, &role); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if role.Kind == "ClusterRole" {
					rules = append(rules, role.Rules...)
				}
			}
		}
		for _, k := range all {
			if !slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool {
				return slices.Contains(r.APIGroups, k.group.Group) && slices.Contains(r.Resources, k.resource) && slices.Contains(r.Verbs, "list") && slices.Contains(r.Verbs, "watch")
			}) {
				t.Errorf("%s: %s of %q", file, k.resource, k.group.Group)
			}
		}
	}
}
