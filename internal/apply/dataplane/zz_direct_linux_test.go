package dataplane_test

import (
	"fmt"
	"net/netip"
	"net"
	"os"
	"testing"
	"time"

	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/internal/agent/conntrack"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

func logging() *ir.Program {
	p := policed()
	for i := range p.Policy.Profiles {
		if p.Policy.Profiles[i].ID == "n/b" {
			t := &p.Policy.Profiles[i].Ingress[0]
			t.Rules = append([]ir.Rule{{Action: ir.Log, Prefix: "planec-test", AnyPeer: true, Ports: t.Rules[0].Ports}}, t.Rules...)
		}
	}
	p.Normalize()
	return p
}

func TestZZLogs(t *testing.T) {
	for _, translated := range []bool{false, true} {
		for _, dropInvalid := range []bool{false, true} {
			t.Run(fmt.Sprint(translated, dropInvalid), func(t *testing.T) {
				g := newGuarded(t)
				g.direct = true
				open := policed()
				open.Policy = ir.Policy{}
				open.Node.DropInvalid = dropInvalid
				g.put(g.entry(open, true))
				accepted := g.accepts(streamed)
				if translated {
					c := g.stream(netip.MustParseAddrPort("10.96.0.1:70"))
					lives(t, "translated", c, <-accepted, true)
				}
				var pairs [][2]net.Conn
				for range 4 {
					c := g.stream(netip.AddrPortFrom(bob, streamed))
					pairs = append(pairs, [2]net.Conn{c, <-accepted})
				}
				for i := range 4 {
					p := logging()
					if i%2 == 1 {
						p = policed()
					}
					p.Node.DropInvalid = dropInvalid
					g.put(g.entry(p, true))
					if i%2 == 0 {
						g.placed(alice, carol)
					} else {
						g.placed(alice, bob, carol)
					}
					big := make([]byte, 1<<20)
					for k, pr := range pairs {
						lives(t, fmt.Sprint("step ", i), pr[0], pr[1], k%2 == 0)
						// both directions in bulk
						for d := range 2 {
							from, to := pr[d], pr[1-d]
							from.SetDeadline(time.Now().Add(10 * time.Second))
							to.SetDeadline(time.Now().Add(10 * time.Second))
							go from.Write(big)
							n := 0
							b := make([]byte, 1<<16)
							for n < len(big) {
								m, err := to.Read(b)
								if err != nil {
									t.Errorf("step %d bulk %d: %v after %d", i, d, err, n)
									break
								}
								n += m
							}
						}
					}
				}
				g.judged("at the end")
				for _, pr := range pairs {
					pr[0].Close()
					pr[1].SetDeadline(time.Now().Add(3 * time.Second))
					if _, err := pr[1].Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
						t.Errorf("close does not arrive: %v", err)
					}
				}
			})
		}
	}
}

// a Service whose external address is that of a pod
func TestZZExternalPodIP(t *testing.T) {
	for _, mode := range []string{"plain", "interfaces", "direct", "cgroup direct"} {
		t.Run(mode, func(t *testing.T) {
			g := newGuarded(t)
			g.direct = mode == "direct" || mode == "cgroup direct"
			if mode == "cgroup direct" {
				g.sockets(t, g.rig)
			}
			p := policed()
			p.Policy = ir.Policy{}
			p.Frontends = append(p.Frontends, irtest.Frontend(ir.ExternalIP, "carol", netip.AddrPortFrom(bob, served).String(), "carol"))
			g.put(g.entry(p, mode != "plain"))
			flows := []testkit.Flow{{From: eval.FromPod, Src: alice, Dst: bob, Port: served, Protocol: ir.TCP}}
			for i := range 2 {
				got, err := g.rig.Try(t.Context(), flows, testkit.DefaultTimeout)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d: %+v; evaluator %+v", i, got[0], eval.New(p).Eval(g.rig.Packet(flows[0])))
			}
		})
	}
}

func TestZZDeniedEndDirect(t *testing.T) {
	g := newGuarded(t)
	g.direct = true
	open := policed()
	open.Policy = ir.Policy{}
	g.put(g.entry(open, true))
	accepted := g.accepts(streamed)
	client := g.stream(netip.AddrPortFrom(bob, streamed))
	server := <-accepted
	lives(t, "without policies", client, server, false)
	end := func() (n int) {
		g.rig.Do(func() (err error) {
			n, err = g.applier.Guarded(ebpf.Name).Forget(conntrack.DeniedEnds(policed()))
			return err
		})
		return n
	}
	g.put(g.entry(policed(), true))
	lives(t, "denied and known", client, server, true)
	if n := end(); n != 2 {
		t.Errorf("forgotten %d", n)
	}
	for _, c := range [][2]net.Conn{{client, server}, {server, client}} {
		c[1].SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		c[0].Write([]byte("x"))
		if n, err := c[1].Read(make([]byte, 7)); !os.IsTimeout(err) {
			t.Errorf("arrives %d %v", n, err)
		}
	}
	// accepted again: goes on
	g.put(g.entry(open, true))
	b := make([]byte, 7)
	for _, c := range [][2]net.Conn{{client, server}, {server, client}} {
		c[1].SetReadDeadline(time.Now().Add(10 * time.Second))
		n, err := c[1].Read(b)
		t.Logf("accepted again: %d %v", n, err)
	}
}

// alice may reach bob alone; a Service with the address of carol leads to bob.
func TestZZHole(t *testing.T) {
	for _, mode := range []string{"plain", "interfaces", "direct"} {
		t.Run(mode, func(t *testing.T) {
			g := newGuarded(t)
			g.direct = mode == "direct"
			p := policed()
			for _, pr := range []ir.Protocol{ir.TCP, ir.UDP} {
				f := irtest.Frontend(ir.ExternalIP, "bob", netip.AddrPortFrom(carol, served).String(), "bob")
				f.Match.Protocol, f.Service.Protocol = pr, pr
				f.ID = fmt.Sprintf("shop/bob/x/%v", pr)
				p.Frontends = append(p.Frontends, f)
			}
			g.put(g.entry(p, mode != "plain"))
			for _, pr := range []ir.Protocol{ir.TCP, ir.UDP} {
				flows := []testkit.Flow{{From: eval.FromPod, Src: alice, Dst: carol, Port: served, Protocol: pr}}
				got, err := g.rig.Try(t.Context(), flows, testkit.DefaultTimeout)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%+v; evaluator %+v", got[0], eval.New(p).Eval(g.rig.Packet(flows[0])).Verdict)
			}
		})
	}
}
