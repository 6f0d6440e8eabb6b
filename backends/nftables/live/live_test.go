package live

import (
	"errors"
	"fmt"
	"hash/fnv"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// twins are two Services whose names have one hash.
func twins(t *testing.T) (a, b ir.Frontend) {
	t.Helper()
	seen := make(map[uint32]string)
	for i := range 1 << 20 {
		name := fmt.Sprintf("svc-%d", i)
		f := irtest.Frontend(ir.ClusterIP, name, "10.96.0.1:80", "pool")
		h := fnv.New32a()
		_, _ = h.Write([]byte(f.Service.String()))
		if other, ok := seen[h.Sum32()]; ok {
			a, b = irtest.Frontend(ir.ClusterIP, other, "10.96.0.1:80", "pool"), irtest.Frontend(ir.ClusterIP, name, "10.96.0.2:80", "pool")
			a.Affinity, b.Affinity = 60, 60
			return a, b
		}
		seen[h.Sum32()] = name
	}
	t.Fatal("no two names have one hash")
	return a, b
}

// TestAffinityTwins adds a Service whose affinity ID another one has: its fragment
// cannot know.
func TestAffinityTwins(t *testing.T) {
	a, b := twins(t)
	program := func(list ...ir.Frontend) *ir.Program {
		p := &ir.Program{
			Node:       irtest.KitchenSink().Node,
			ClusterIPs: irtest.Addrs("10.96.0.1", "10.96.0.2"),
			Pools:      []ir.Pool{irtest.Pool("pool", "10.1.1.2:80")}, Frontends: list,
		}
		p.Normalize()
		return p
	}
	l := NewLive(parse(t, string(emit(t, program(a)))))
	_, err := l.Change(emit(t, program()), emit(t, program(b)))
	if !errors.Is(err, ErrStructure) {
		t.Errorf("error %v", err)
	}
	t.Log(err)
	// With the other one in the fragment it can.
	p, err := l.Change(emit(t, program(a)), emit(t, program(a, b)))
	if err != nil {
		t.Fatal(err)
	}
	l.Commit(p)
	if d := diffModels(l.Model(), parse(t, string(emit(t, program(a, b))))); !d.Empty() {
		t.Errorf("%q", d.Steps())
	}
}

// TestChangeRefuses lists changes that need a whole artifact.
func TestChangeRefuses(t *testing.T) {
	cart := irtest.Frontend(ir.ClusterIP, "cart", "10.96.0.1:80", "pool")
	other := irtest.Frontend(ir.ClusterIP, "other", "10.96.0.2:80", "pool")
	masquerading, sticky, port := other, other, irtest.Frontend(ir.NodePort, "other", "0.0.0.0:30080", "pool")
	cart.Internal.Masquerade, cart.External.Masquerade = ir.MasqueradeNever, ir.MasqueradeNever
	other.Internal.Masquerade, other.External.Masquerade = ir.MasqueradeNever, ir.MasqueradeNever
	sticky.Affinity = 60
	node := irtest.KitchenSink().Node
	program := func(list ...ir.Frontend) []byte {
		p := &ir.Program{Node: node, Frontends: list, Pools: []ir.Pool{irtest.Pool("pool", "10.1.1.2:80")}}
		for _, f := range list {
			if f.Kind == ir.ClusterIP {
				p.ClusterIPs = append(p.ClusterIPs, f.Match.Address)
			}
		}
		p.Normalize()
		return emit(t, p)
	}
	for _, c := range []struct {
		name                 string
		whole, before, after []byte
	}{
		{"the last Service goes", program(cart), program(cart), program()},
		{"the first one comes", program(), program(), program(cart)},
		{"the first that masquerades", program(cart), program(), program(masquerading)},
		{"the last that masquerades", program(cart, masquerading), program(masquerading), program()},
		{"the first with affinity", program(cart), program(), program(sticky)},
		{"the last with affinity", program(cart, sticky), program(sticky), program()},
		{"the first nodePort", program(cart), program(), program(port)},
		{"one that was never there", program(cart), program(other), program()},
		{"one that is there already", program(cart, other), program(), program(other)},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewLive(parse(t, string(c.whole)))
			if p, err := l.Change(c.before, c.after); !errors.Is(err, ErrStructure) {
				t.Errorf("error %v, plan %q", err, p.Steps())
			} else {
				t.Log(err)
			}
		})
	}
	l := NewLive(parse(t, string(program(cart))))
	p, err := l.Change(program(), program(other))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%q", p.Steps())
}

// TestFragmentsShareChains: the chains of a fragment that the held model has too are not read
// again, and its elements are its own, because a commit changes the held ones.
func TestFragmentsShareChains(t *testing.T) {
	for _, text := range goldenTexts(t) {
		m := parse(t, string(text))
		again, err := parseText(text, m.seed, known{model: m})
		if err != nil {
			t.Fatal(err)
		}
		if d := diffModels(m, again); !d.Empty() {
			t.Fatalf("%q", d.Steps())
		}
		for _, held := range m.Tables {
			now := again.Table(held.Family)
			for _, c := range held.Chains {
				if len(c.Rules) > 0 && now.chains[c.Name].Rules[0] != c.Rules[0] {
					t.Errorf("chain %s was read again", c.Name)
				}
			}
			for _, s := range held.Sets {
				if now.sets[s.Name].Elems.shared(&s.Elems) {
					t.Errorf("set %s shares its elements", s.Name)
				}
			}
		}
	}
}
