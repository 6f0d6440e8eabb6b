package cilium

import (
	"fmt"

	ipcachetypes "github.com/cilium/cilium/pkg/ipcache/types"
	"github.com/cilium/cilium/pkg/k8s"
	"github.com/cilium/cilium/pkg/policy/types"
	policyutils "github.com/cilium/cilium/pkg/policy/utils"
)

// resource is the rules of one policy.
type resource struct {
	id    ipcachetypes.ResourceID
	rules types.PolicyEntries
}

// rules reads the policies as the agent does, and notes those that it refuses.
func (c *Cluster) rules() ([]resource, error) {
	s, err := newServices(c)
	if err != nil {
		return nil, err
	}
	var out []resource
	add := func(kind ipcachetypes.ResourceKind, namespace, name string, rules types.PolicyEntries, err error) {
		if err != nil {
			c.Refused = append(c.Refused, fmt.Errorf("%s %s/%s: %w", kind, namespace, name, err))
			return
		}
		out = append(out, resource{ipcachetypes.NewResourceID(kind, namespace, name), rules})
	}
	for _, p := range c.Policies {
		p = p.DeepCopy()
		s.resolve(p)
		parsed, err := p.Parse(quiet(), clusterName)
		add(ipcachetypes.ResourceKindCNP, p.Namespace, p.Name, policyutils.RulesToPolicyEntries(parsed), err)
	}
	for _, p := range c.NetworkPolicies {
		rules, err := k8s.ParseNetworkPolicy(quiet(), clusterName, p)
		add(ipcachetypes.ResourceKindNetpol, p.Namespace, p.Name, rules, err)
	}
	for _, p := range c.ClusterPolicies {
		rules, err := k8s.ParseClusterNetworkPolicy(quiet(), clusterName, p)
		add(ipcachetypes.ResourceKindKCNP, "", p.Name, rules, err)
	}
	return out, nil
}
