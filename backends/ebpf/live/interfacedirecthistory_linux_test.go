package live

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// standing is a connection that was accepted, of a client to a server.
type standing struct {
	*attempt
	net.Conn
	client, server int
}

// TestDirectPodsHistories: random policies, pods that come back at other interfaces, packets that
// are handed over and then not, hardware addresses that the node has forgotten: what was accepted
// goes on until it is forgotten, and what is denied then does not.
func TestDirectPodsHistories(t *testing.T) {
	for _, onDeny := range []ir.Refusal{ir.Drop, ir.Reject} {
		t.Run(onDeny.String(), func(t *testing.T) {
			r := newPodRig(t)
			rng := rand.New(rand.NewPCG(uint64(onDeny), 7))
			for n := 1; n <= 4; n++ {
				r.add(n)
			}
			var open []*standing
			for step := range histories {
				p := r.program(r.randomPolicies(rng))
				if len(p.Policy.Profiles) > 0 {
					p.Policy.OnDeny = onDeny
				}
				r.put(p)
				open = r.disturb(rng, open)
				open = r.goesOn(rng, eval.New(p), open)
				if t.Failed() {
					t.Fatalf("step %d of %v\n%s", step, onDeny, p.Text())
				}
			}
		})
	}
}

// histories is how many steps a history has.
const histories = 6

// disturb changes what is around the connections, and returns those that can go on.
func (r *podRig) disturb(rng *rand.Rand, open []*standing) []*standing {
	r.Helper()
	r.interfaces.Direct = nil
	if rng.IntN(4) > 0 {
		r.interfaces.Direct = anyPod()
	}
	if rng.IntN(4) == 0 {
		n := 1 + rng.IntN(4)
		open = slices.DeleteFunc(open, func(s *standing) bool { return s.client == n || s.server == n })
		r.remove(n)
		r.add(n)
	}
	if err := r.node.do(func() error { _, err := r.attachPlaced(r.Context()); return err }); err != nil {
		r.Fatal(err)
	}
	if rng.IntN(3) == 0 {
		r.node.ip(r, "neigh flush dev "+r.pods[1+rng.IntN(4)].name)
	}
	return open
}

// goesOn asks for echoes on connections, tries new ones, and forgets what policies deny now.
func (r *podRig) goesOn(rng *rand.Rand, e *eval.Evaluator, open []*standing) []*standing {
	r.Helper()
	for _, s := range open {
		if err := echoes(s, patience); err != nil {
			r.Errorf("%v from %v, which stood: %v", s.Packet, s.LocalAddr(), err)
		}
	}
	for range 6 {
		client, server := 1+rng.IntN(4), 1+rng.IntN(4)
		if client == server {
			continue
		}
		a := r.attemptsOf(client, server)[rng.IntN(4)]
		r.lastPort = max(r.lastPort, 20000) + 1
		a.port = r.lastPort
		want, wait := e.Eval(a.Packet).Verdict == eval.Pass, impatience
		if want {
			wait = patience
		}
		c, err := a.dial(wait)
		if (err == nil) != want {
			r.Errorf("%v from port %d: %v, want accepted %t", a.Packet, a.port, err, want)
		}
		if err == nil {
			r.pods[client].keep(c)
			open = append(open, &standing{attempt: a, Conn: c, client: client, server: server})
		}
	}
	denied := func(from, to netip.Addr, protocol ir.Protocol, port uint16) bool {
		return e.Eval(eval.Packet{Src: from, Dst: to, Protocol: protocol, Port: port, From: eval.FromPod}).Verdict != eval.Pass
	}
	if rng.IntN(2) == 0 {
		return open
	}
	protocols := map[uint8]ir.Protocol{6: ir.TCP, 17: ir.UDP}
	if err := r.node.do(func() error {
		_, err := r.interfaces.Forget(func(l Leg) bool {
			from, to := l.Pod, l.Peer
			if !l.Outward {
				from, to = to, from
			}
			return denied(from.Addr(), to.Addr(), protocols[l.Protocol], to.Port())
		})
		return err
	}); err != nil {
		r.Fatal(err)
	}
	return slices.DeleteFunc(open, func(s *standing) bool {
		if !denied(s.Src, s.Dst, s.Protocol, s.Port) {
			return false
		}
		if err := echoes(s, impatience); err == nil {
			r.Errorf("%v from %v is denied and forgotten, and goes on", s.Packet, s.LocalAddr())
		}
		_ = s.Close()
		return true
	})
}
