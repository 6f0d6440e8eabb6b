package cilium

import (
	"fmt"
	"math"
	"net/netip"
	"strings"

	"github.com/cilium/cilium/pkg/endpoint/regeneration"
	"github.com/cilium/cilium/pkg/policy"
	"github.com/cilium/cilium/pkg/policy/types"
	"github.com/cilium/cilium/pkg/u8proto"
)

// Verdict is what policies say in one direction: "allowed", "blocked", "redirect" (a
// proxy decides), "auth", "auth+redirect" (both ends must prove who they are) or
// "authfail" (a test that always fails).
type Verdict string

// Authenticates reports whether the verdict is one about authentication.
func (v Verdict) Authenticates() bool { return strings.HasPrefix(string(v), "auth") }

// Judge returns what the policies of a pod, as namespace/name, say about a packet from or
// to a peer's address. protocol is the number, port that of the destination or the type
// of ICMP.
func (e *Engine) Judge(pod string, ingress bool, peer netip.Addr, protocol uint8, port uint16) (Verdict, error) {
	p, err := e.policyOf(pod)
	if err != nil {
		return "", err
	}
	key := policy.EgressKey()
	if ingress {
		key = policy.IngressKey()
	}
	entry := lookup(p, key.WithIdentity(e.identityOf(peer)).WithPortProto(u8proto.U8proto(protocol), port))
	redirect := entry.IsRedirectEntry()
	switch auth := entry.AuthRequirement.AuthType(); {
	case entry.IsDeny():
		return "blocked", nil
	case auth == types.AuthTypeAlwaysFail:
		return "authfail", nil
	case auth == types.AuthTypeSpire && redirect:
		return "auth+redirect", nil
	case auth == types.AuthTypeSpire:
		return "auth", nil
	case redirect:
		return "redirect", nil
	}
	return "allowed", nil
}

func (e *Engine) policyOf(pod string) (*policy.EndpointPolicy, error) {
	owner := e.pods[pod]
	if owner == nil {
		return nil, fmt.Errorf("%s is no pod with an address of its own", pod)
	}
	if owner.policy != nil {
		return owner.policy, nil
	}
	selected, _, err := e.repo.ComputeSelectorPolicy(owner.id)
	if err != nil {
		return nil, fmt.Errorf("pod %s: %w", pod, err)
	}
	owner.policy = selected.DistillPolicy(quiet(), owner, map[string]uint16{policy.FallbackRedirectID: math.MaxUint16})
	owner.policy.Ready()
	owner.policy.Detach(quiet())
	selected.Supersede()
	return owner.policy, nil
}

// GetID implements policy.PolicyOwner, as the methods below do.
func (p *endpoint) GetID() uint64 { return p.number }

// GetIngressNamedPort returns the pod's own number of a name, 0 if it has none.
func (p *endpoint) GetIngressNamedPort(name string, proto u8proto.U8proto) uint16 {
	port, err := p.ports.GetNamedPort(name, proto)
	if err != nil {
		return 0
	}
	return port
}

// PolicyDebug does nothing.
func (p *endpoint) PolicyDebug(string, ...any) {}

// IsHost is false: nodes are not judged.
func (p *endpoint) IsHost() bool { return false }

// PreviousMapStateSizes are those of no policy.
func (p *endpoint) PreviousMapStateSizes() policy.MapStateSizes { return policy.MapStateSizes{} }

// RegenerateIfAlive does nothing: an endpoint's policy is made once.
func (p *endpoint) RegenerateIfAlive(*regeneration.ExternalRegenerationMetadata) <-chan bool {
	done := make(chan bool)
	close(done)
	return done
}
