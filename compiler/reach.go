package compiler

import (
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/ir"
)

// PolicyReach returns everything by which the cluster's policies distinguish pods.
func (c *Cluster) PolicyReach() policy.Reach { return c.policies.Reach() }

// With prepares other objects with the settings of this cluster, so that the
// compiler itself answers "what if these pods existed, too".
func (c *Cluster) With(set *objects.Set) *Cluster { return Prepare(set, c.config) }

// Together is [Cluster.With] where policies of Kubernetes take part in the tiers of other
// dialects, whatever the settings say.
func (c *Cluster) Together(set *objects.Set) *Cluster {
	config := c.config
	config.SeparatePolicies = false
	return Prepare(set, config)
}

// IdlePolicies returns the policies that select no pod of the input.
func (c *Cluster) IdlePolicies() []ir.Origin { return c.policies.Idle() }
