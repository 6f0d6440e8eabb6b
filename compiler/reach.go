package compiler

import (
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy"
	"github.com/planec/planec/ir"
)

// PolicyReach returns by what the cluster's policies tell pods apart.
func (c *Cluster) PolicyReach() policy.Reach { return c.policies.Reach() }

// With prepares other objects with the settings of this cluster: the question
// "what if there were these pods, too" is asked of the compiler itself.
func (c *Cluster) With(set *objects.Set) *Cluster { return Prepare(set, c.config) }

// IdlePolicies returns the policies that select no pod of the input.
func (c *Cluster) IdlePolicies() []ir.Origin { return c.policies.Idle() }
