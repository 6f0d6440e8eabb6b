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

// IdlePolicies returns the policies that select no pod of the input.
func (c *Cluster) IdlePolicies() []ir.Origin { return c.policies.Idle() }
