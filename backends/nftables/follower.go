//go:build !js

package nftables

import (
	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

var _ backends.PolicyFollower = (*Backend)(nil)

// FollowPolicies implements [backends.PolicyFollower].
func (b *Backend) FollowPolicies() backends.PolicyChanges { return &policyChanges{backend: b} }

// policyChanges keeps the resolved policies of the last change.
type policyChanges struct {
	backend  *Backend
	policies resolve.Memo
}

// Change implements [backends.PolicyChanges].
func (c *policyChanges) Change(before, after *ir.Program) (was, is backends.Artifact, err error) {
	b := c.backend
	before, after = backends.GiveUp(before, Refused(before)), backends.GiveUp(after, Refused(after))
	x := side{policy: &before.Policy, resolved: c.policies.New(&before.Policy, b.opts.Hash)}
	y := side{policy: &after.Policy, resolved: c.policies.New(&after.Policy, b.opts.Hash)}
	b.compareSides(&x, &y)
	part := func(of *policyPart) func(ir.Family) *policyPart {
		return func(f ir.Family) *policyPart {
			if selectsAny(x.policy, f) != selectsAny(y.policy, f) {
				return nil // one of the two has nothing of policies
			}
			return of
		}
	}
	if was, err = b.emit(before, x.resolved, &backends.Routes{}, part(x.part)); err == nil {
		is, err = b.emit(after, y.resolved, &backends.Routes{}, part(y.part))
	}
	return was, is, err
}
