package live

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/text/nft"
	"github.com/planec/planec/ir"
)

func emit(t testing.TB, p *ir.Program) []byte {
	t.Helper()
	return emitWith(t, p, backends.DefaultOptions())
}

func emitWith(t testing.TB, p *ir.Program, o backends.Options) []byte {
	t.Helper()
	if err := ir.Verify(p); err != nil {
		t.Fatalf("the test's program is wrong: %v", err)
	}
	a, err := nftables.Beside(o).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	return a.File(nftables.FileName)
}

// service is one Service at one time: its frontends and their pools.
type service struct {
	frontends []ir.Frontend
	pools     []ir.Pool
}

// addresses are what other Services may have too, so that they are in a fragment
// with this one: endpoints (for hairpin) and ClusterIPs.
func (s *service) addresses() map[netip.Addr]bool {
	all := make(map[netip.Addr]bool)
	for _, p := range s.pools {
		for _, e := range p.Endpoints {
			all[e.Address.Addr()] = true
		}
	}
	for _, f := range s.frontends {
		if f.Kind == ir.ClusterIP {
			all[f.Match.Address] = true
		}
	}
	return all
}

// history is a cluster that changes, one Service at a time.
type history struct {
	rng *rand.Rand
	// base has the node's facts.
	base *ir.Program
	// versions are what a Service can be; "" stands for none.
	versions [][]*service
	now      []*service
	// policy is in whole programs only.
	policy ir.Policy
	// changes writes what differs of policies.
	changes backends.PolicyChanges
}

func newHistory(seed uint64) *history {
	h := &history{rng: rand.New(rand.NewPCG(seed, 5)), changes: nftables.New(backends.DefaultOptions()).FollowPolicies()}
	for v := range 3 {
		p := irtest.RandomProgram(h.rng)
		if h.base == nil {
			h.base = p
		}
		byName := make(map[string]*service)
		for i := range p.Frontends {
			f := p.Frontends[i]
			s := byName[f.Service.Name]
			if s == nil {
				s = &service{}
				byName[f.Service.Name] = s
			}
			for _, r := range []*ir.Route{&f.Internal, &f.External} {
				i := slices.IndexFunc(p.Pools, func(p ir.Pool) bool { return p.ID == r.Pool })
				pool := p.Pools[i]
				pool.ID = fmt.Sprintf("%s-%d-%s", f.Service.Name, v, pool.ID)
				r.Pool = pool.ID
				if !slices.ContainsFunc(s.pools, func(p ir.Pool) bool { return p.ID == pool.ID }) {
					s.pools = append(s.pools, pool)
				}
			}
			s.frontends = append(s.frontends, f)
		}
		for i := range 12 {
			if v == 0 {
				h.versions = append(h.versions, nil)
			}
			h.versions[i] = append(h.versions[i], byName[fmt.Sprintf("svc-%d", i)])
		}
	}
	for _, v := range h.versions {
		h.now = append(h.now, v[0])
	}
	h.newPolicy()
	return h
}

// program is the node's facts and some Services.
func (h *history) program(services []*service) *ir.Program {
	p := &ir.Program{Node: h.base.Node, Masquerade: h.base.Masquerade}
	for _, s := range services {
		if s == nil {
			continue
		}
		p.Frontends = append(p.Frontends, s.frontends...)
		p.Pools = append(p.Pools, s.pools...)
		for _, f := range s.frontends {
			if f.Kind == ir.ClusterIP && !slices.Contains(p.ClusterIPs, f.Match.Address) {
				p.ClusterIPs = append(p.ClusterIPs, f.Match.Address)
			}
		}
	}
	p.Normalize()
	return p
}

// newPolicy has other policies from now on, or none. Some change a little: profiles that stay
// are in the same memory.
func (h *history) newPolicy() {
	p := h.program(h.now)
	if n := len(h.policy.Profiles); n > 0 && h.rng.IntN(2) == 0 {
		h.policy.Profiles = slices.Clone(h.policy.Profiles)
		i := h.rng.IntN(n)
		if profile := &h.policy.Profiles[i]; h.rng.IntN(3) > 0 && len(profile.Ingress) > 0 && len(profile.Egress) > 0 {
			profile.Ingress = nil
		} else if n > 1 {
			h.policy.Profiles = slices.Delete(h.policy.Profiles, i, i+1)
		}
		irtest.DropUnused(&h.policy)
		return
	}
	if h.rng.IntN(3) > 0 {
		irtest.AddRandomDialects(h.rng, p)
	}
	h.policy = p.Policy
}

// whole is the program of all Services, with policies.
func (h *history) whole() *ir.Program {
	p := h.program(h.now)
	p.Policy = h.policy
	return p
}

// changed is what one step gives: two fragments, and the whole. Where policy is
// set the second fragment has the whole policy.
type changed struct {
	before, after, whole []byte
	policy               bool
	// parts says that both fragments have what differs of policies instead.
	parts bool
}

// policies is the step from the policies of before to those that there are now, in parts or
// with the whole of them.
func (h *history) policies(t testing.TB, before, after *ir.Program, was ir.Policy) changed {
	t.Helper()
	after.Policy = h.policy
	if h.rng.IntN(3) == 0 {
		return changed{emit(t, before), emit(t, after), emit(t, h.whole()), true, false}
	}
	before.Policy = was
	old, now, err := h.changes.Change(before, after)
	if err != nil {
		t.Fatal(err)
	}
	return changed{old.File(nftables.FileName), now.File(nftables.FileName), emit(t, h.whole()), true, true}
}

// step changes one Service, now and then policies with it or instead of it.
func (h *history) step(t testing.TB) changed {
	policy, was := h.rng.IntN(2) == 0, h.policy
	if policy && h.rng.IntN(2) == 0 {
		h.newPolicy()
		return h.policies(t, h.program(nil), h.program(nil), was)
	}
	i := h.rng.IntN(len(h.now))
	next := slices.Clone(h.now)
	switch {
	case h.rng.IntN(4) == 0:
		next[i] = nil
	case next[i] != nil && h.rng.IntN(2) == 0:
		next[i] = h.mutate(next[i])
	default:
		next[i] = h.versions[i][h.rng.IntN(len(h.versions[i]))]
	}
	touched := make(map[netip.Addr]bool)
	for _, s := range []*service{h.now[i], next[i]} {
		if s != nil {
			for a := range s.addresses() {
				touched[a] = true
			}
		}
	}
	var old, now []*service
	for k := range next {
		if k == i || next[k] != nil && shares(next[k], touched) {
			old, now = append(old, h.now[k]), append(now, next[k])
		}
	}
	h.now = next
	after := h.program(now)
	if policy {
		h.newPolicy()
		return h.policies(t, h.program(old), after, was)
	}
	return changed{emit(t, h.program(old)), emit(t, after), emit(t, h.whole()), false, false}
}

func shares(s *service, touched map[netip.Addr]bool) bool {
	for a := range s.addresses() {
		if touched[a] {
			return true
		}
	}
	return false
}

// mutate changes the endpoints of one of a Service's pools.
func (h *history) mutate(s *service) *service {
	n := &service{frontends: s.frontends, pools: slices.Clone(s.pools)}
	p := &n.pools[h.rng.IntN(len(n.pools))]
	p.Endpoints = slices.Clone(p.Endpoints)
	if len(p.Endpoints) > 0 && h.rng.IntN(2) == 0 {
		k := h.rng.IntN(len(p.Endpoints))
		p.Endpoints = slices.Delete(p.Endpoints, k, k+1)
		return n
	}
	at, local := "10.1.2.%d:8080", false
	if h.rng.IntN(2) == 0 {
		at, local = "10.1.0.%d:8080", true
	}
	if h.six(n, p.ID) {
		at = strings.NewReplacer("10.1.2.", "[fd00:10:2::", "10.1.0.", "[fd00:10:1::", ":8080", "]:8080").Replace(at)
	}
	e := ir.Endpoint{Address: netip.MustParseAddrPort(fmt.Sprintf(at, 2+h.rng.IntN(9))), Local: local, Weight: 1}
	if !slices.ContainsFunc(p.Endpoints, func(x ir.Endpoint) bool { return x.Address == e.Address }) {
		p.Endpoints = append(p.Endpoints, e)
	}
	return n
}

// six reports whether a pool is of IPv6 frontends.
func (h *history) six(s *service, pool string) bool {
	return slices.ContainsFunc(s.frontends, func(f ir.Frontend) bool {
		return (f.Internal.Pool == pool || f.External.Pool == pool) && f.Match.Family == ir.IPv6
	})
}

// change plans one step, and says whether it took a whole artifact.
func change(t testing.TB, l *Live, a changed) (p *Plan, replaced bool) {
	t.Helper()
	short := l.Change
	if a.policy && !a.parts {
		short = l.ChangePolicy
	}
	p, err := short(a.before, a.after)
	if errors.Is(err, ErrStructure) {
		p, err = l.Replace(a.whole)
		replaced = true
	}
	if err != nil {
		t.Fatal(err)
	}
	return p, replaced
}

// TestHistories changes what is held step by step, and compares it with the whole
// at each.
func TestHistories(t *testing.T) {
	steps, structural, policies, short, parts := 0, 0, 0, 0, 0
	histories := uint64(60)
	if os.Getenv("CI") == "true" {
		histories = 300
	}
	for seed := range histories {
		h := newHistory(seed)
		l := NewLive(parse(t, string(emit(t, h.whole()))))
		for range 20 {
			a := h.step(t)
			p, replaced := change(t, l, a)
			l.Commit(p)
			want := parse(t, string(a.whole))
			if fresh := NewLive(l.Model()); !reflect.DeepEqual(fresh.refs, nonZero(l.refs)) || !reflect.DeepEqual(fresh.ids, l.ids) {
				t.Fatalf("seed %d: after\n%s\nleads are counted as %v, want %v", seed, strings.Join(p.Steps(), "\n"), l.refs, fresh.refs)
			}
			if d := diffModels(l.Model(), want); !d.Empty() {
				t.Fatalf("seed %d: after\n%s\nthere is still\n%s\nbefore:\n%s\nafter:\n%s", seed,
					strings.Join(p.Steps(), "\n"), strings.Join(d.Steps(), "\n"), a.before, a.after)
			}
			steps++
			if replaced {
				structural++
			}
			if a.policy {
				policies++
				if !replaced {
					short++
				}
				if a.parts && !replaced {
					parts++
				}
			}
		}
	}
	t.Logf("%d steps, %d of them with a whole artifact; %d of policies, %d of them in parts and %d short", steps, structural, policies, parts, short)
	if structural*2 > steps || short*2 < policies {
		t.Error("most steps need a whole artifact")
	}
}

// nonZero leaves out what nothing leads to any more.
func nonZero(refs map[nft.Family]map[string]int) map[nft.Family]map[string]int {
	out := make(map[nft.Family]map[string]int, len(refs))
	for f, counts := range refs {
		out[f] = maps.Clone(counts)
		maps.DeleteFunc(out[f], func(_ string, n int) bool { return n == 0 })
	}
	return out
}
