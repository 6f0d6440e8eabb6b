package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// TestGoldens applies every artifact that is kept, each over the one before, and
// compares with what nft makes of it in another namespace.
func TestGoldens(t *testing.T) {
	r, fresh := newRig(t), newRig(t)
	all := artifacts(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		r.becomes(fresh, name, all[name])
	}
	r.becomes(fresh, "nothing", begin)
}

// becomes applies the text over what there is and compares with nft's own load.
func (r *rig) becomes(fresh *rig, name, text string) {
	r.t.Helper()
	want := parse(r.t, text)
	fresh.nft(text)
	fresh.verify(want)
	if d := cmp.Diff(elementLines(text), modelLines(fresh.observe().Model)); d != "" {
		r.t.Fatalf("%s: -text +observed:\n%s", name, d)
	}
	plan := Diff(r.observe(), want)
	r.apply(plan)
	r.verify(want)
	if d := cmp.Diff(objectsOf(want), r.objects()); d != "" {
		r.t.Fatalf("%s: -text +as another library lists it:\n%s", name, d)
	}
	if d := cmp.Diff(fresh.list(), r.list()); d != "" {
		r.t.Fatalf("%s, by\n%s\n-nft +netlink:\n%s", name, strings.Join(plan.Steps(), "\n"), d)
	}
}

// TestRandomPrograms is TestGoldens for programs made at random: each over
// nothing, and over the one before.
func TestRandomPrograms(t *testing.T) {
	r, fresh := newRig(t), newRig(t)
	rng := rand.New(rand.NewPCG(3, 3))
	untracked, covered := 0, 0
	for i := range 60 {
		p := irtest.RandomProgram(rng)
		if i%3 > 0 {
			irtest.AddRandomDialects(rng, p)
		}
		if i%4 == 0 {
			r.clean()
		}
		o := backends.DefaultOptions()
		o.UntrackedPods, o.PoliciesAtInterfaces = i%2 == 0, i%5 < 3
		text := string(emitWith(t, p, o))
		if strings.Contains(text, " notrack") {
			untracked++
		}
		if strings.Contains(text, "jump judged") {
			covered++
		}
		r.becomes(fresh, fmt.Sprint(i), text)
	}
	if covered == 0 {
		t.Error("no program knows of covered pods")
	}
	if untracked == 0 {
		t.Error("no program leaves connections untracked")
	}
}

// TestPrefixes is TestGoldens for prefixes of pods that end with a byte, and within one.
func TestPrefixes(t *testing.T) {
	r, fresh := newRig(t), newRig(t)
	o := backends.DefaultOptions()
	o.UntrackedPods = true
	for _, of := range []struct {
		addr string
		bits []int
	}{
		{"170.85.170.85", []int{0, 1, 7, 8, 9, 16, 19, 24, 31, 32}},
		{"aa55:aa55:aa55:aa55:aa55:aa55:aa55:aa55", []int{0, 1, 8, 31, 32, 33, 56, 57, 64, 108, 127, 128}},
	} {
		addr := netip.MustParseAddr(of.addr)
		for _, bits := range of.bits {
			p := irtest.KitchenSink()
			p.Policy, p.Masquerade, p.Node.ServiceCIDRs = ir.Policy{}, ir.Masquerade{}, nil
			pods := netip.PrefixFrom(addr, bits).Masked()
			p.Node.Local = ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: []netip.Prefix{pods}}
			text := string(emitWith(t, p, o))
			if !strings.Contains(text, " saddr "+strings.TrimSuffix(pods.String(), fmt.Sprint("/", addr.BitLen()))+" ") {
				t.Fatalf("the rules do not compare %v", pods)
			}
			r.becomes(fresh, pods.String(), text)
		}
	}
}

// TestKernelHistories changes the kernel step by step without looking at it.
func TestKernelHistories(t *testing.T) {
	r, fresh := newRig(t), newRig(t)
	histories := uint64(6)
	if os.Getenv("CI") == "true" {
		histories = 30
	}
	for seed := range histories {
		h := newHistory(1000 + seed)
		text := emit(t, h.whole())
		want := parse(t, string(text))
		r.apply(Diff(r.observe(), want))
		l := NewLive(want)
		for range 40 {
			a := h.step(t)
			p, _ := change(t, l, a)
			r.apply(p)
			l.Commit(p)
		}
		h.newPolicy()
		text = emit(t, h.whole())
		p, err := l.Replace(text)
		if err != nil {
			t.Fatal(err)
		}
		r.apply(p)
		l.Commit(p)
		r.verify(parse(t, string(text)))
		r.verify(l.Model())
		fresh.nft(string(text))
		if d := cmp.Diff(fresh.list(), r.list()); d != "" {
			t.Fatalf("seed %d: -nft +netlink:\n%s", seed, d)
		}
	}
}

const foreignTable = "table ip foreign {\n\tmap m {\n\t\ttype ipv4_addr : verdict\n\t\telements = { 192.0.2.1 : drop }\n\t}\n\n\tchain planec {\n\t\ttype filter hook input priority filter + 5; policy accept;\n\t\tip saddr vmap @m\n\t}\n}\n"

// TestDamage does what people do to tables, and has it seen and put right.
func TestDamage(t *testing.T) {
	text := artifacts(t)["../testdata/everything.nft"]
	policies := artifacts(t)["../testdata/policies.nft"]
	for _, damage := range []struct{ name, text, nft string }{
		{"flush", text, "flush table ip planec"},
		{"flush a chain", text, "flush chain ip planec services"},
		{"delete a table", text, "delete table ip6 planec"},
		{"delete an element", text, "delete element ip planec services { 10.96.0.1 . tcp . 80 }"},
		{"another endpoint", text, "delete element ip planec endpoints { 10.96.0.1 . tcp . 80 . 0 }\nadd element ip planec endpoints { 10.96.0.1 . tcp . 80 . 0 : 10.9.9.9 . 1 }"},
		{"another comment", text, "delete element ip planec endpoints { 10.96.0.1 . tcp . 80 . 1 }\nadd element ip planec endpoints { 10.96.0.1 . tcp . 80 . 1 comment \"x\" : 10.1.0.2 . 8080 }"},
		{"an element more", text, "add element ip planec cluster-ips { 10.9.9.9 }"},
		{"a range more", text, "add element ip planec service-cidrs { 10.9.9.0/24 }"},
		{"a range less", text, "delete element ip planec service-cidrs { 10.96.0.0/16 }"},
		{"a concatenated range more", text, "add element ip planec source-ranges { 203.0.113.1 . tcp . 80 . 10.0.0.0/9 }"},
		{"a rule in front", text, "insert rule ip planec services counter accept"},
		{"a rule at the end", text, "add rule ip planec pick-3 ip saddr { 10.0.0.1, 10.0.0.2 } drop"},
		{"a chain more", text, "add chain ip planec x\nadd rule ip planec x ip saddr vmap { 10.0.0.1 : drop }\nadd chain ip planec y\nadd rule ip planec x jump y\nadd map ip planec z { type ipv4_addr : verdict; }\nadd element ip planec z { 10.0.0.1 : jump y }\nadd rule ip planec x ip saddr vmap @z"},
		{"a base chain more", text, "add chain ip planec x { type filter hook input priority 0; policy drop; }"},
		{"another policy", text, "add chain ip planec filter-input { type filter hook input priority filter; policy drop; }"},
		{"an object", text, "add counter ip planec x"},
		{"dormant", text, "add table ip planec { flags dormant; }"},
		{"another port set", policies, "flush chain ip planec row-only-tcp53-tcp5432-udp53\nadd rule ip planec row-only-tcp53-tcp5432-udp53 meta priority set none\nadd rule ip planec row-only-tcp53-tcp5432-udp53 tcp dport { 53, 5433 } accept\nadd rule ip planec row-only-tcp53-tcp5432-udp53 udp dport 53 accept\nadd rule ip planec row-only-tcp53-tcp5432-udp53 drop"},
		{"a class", policies, "delete element ip planec networks { 169.254.169.254 }"},
	} {
		t.Run(damage.name, func(t *testing.T) {
			r := newRig(t)
			r.nft(foreignTable)
			want := parse(t, damage.text)
			r.apply(Diff(r.observe(), want))
			good := r.list()
			r.nft(damage.nft)
			if r.list() == good {
				t.Fatal("the damage does nothing")
			}
			plan := Diff(r.observe(), want)
			t.Log(strings.Join(plan.Steps(), "\n"))
			if plan.Empty() {
				t.Fatal("the damage is not seen")
			}
			r.apply(plan)
			r.verify(want)
			if d := cmp.Diff(good, r.list()); d != "" {
				t.Errorf("-before +after repair:\n%s", d)
			}
			r.clean()
			if d := cmp.Diff(canonical(foreignTable), r.list()); d != "" {
				t.Errorf("-foreign +after clean:\n%s", d)
			}
			r.clean()
		})
	}
}

// TestForeignTable does not look at what is not planec's, whatever it is.
func TestForeignTable(t *testing.T) {
	r := newRig(t)
	want := parse(t, artifacts(t)["../testdata/everything.nft"])
	r.apply(Diff(r.observe(), want))
	r.nft(foreignTable)
	r.nft("table inet planec {\n\tchain x {\n\t}\n}\n")
	r.verify(want)
}

// TestBindingsStay changes rules and elements around what packets put into maps.
func TestBindingsStay(t *testing.T) {
	r := newRig(t)
	text := artifacts(t)["../testdata/everything.nft"]
	r.apply(Diff(r.observe(), parse(t, text)))
	r.nft("add element ip planec affinity { 10.1.0.2 . 0x00000001 timeout 1h : c000:1 }")
	changed := strings.Replace(text, "203.0.113.2 . tcp . 80 . 0 ", "203.0.113.2 . tcp . 80 . 7 ", 1)
	if changed == text {
		t.Fatal("nothing to change")
	}
	plan := Diff(r.observe(), parse(t, changed))
	if got := plan.Steps(); len(got) != 1 {
		t.Errorf("steps: %q", got)
	}
	r.apply(plan)
	r.verify(parse(t, changed))
	if !strings.Contains(r.list(), "10.1.0.2 . 0x00000001 timeout 1h") {
		t.Error("the binding is gone")
	}
}

// TestDrift applies a Live's change where another program took its element away: nothing
// happens, and it says so.
func TestDrift(t *testing.T) {
	r := newRig(t)
	h := newHistory(1)
	whole := string(emit(t, h.whole()))
	l := NewLive(parse(t, whole))
	r.apply(Diff(r.observe(), l.Model()))
	r.nft("delete table ip planec")
	r.nft("delete table ip6 planec")
	var p *Plan
	for p == nil || p.Empty() {
		if a := h.step(t); !a.policy {
			p, _ = l.Change(a.before, a.after)
		}
	}
	err := r.Do(func() error { return Apply(t.Context(), p) })
	if !errors.Is(err, ErrDrift) {
		t.Fatalf("error %v", err)
	}
	t.Log(err)
	if got := r.list(); strings.Contains(got, "planec") {
		t.Errorf("half of it is there:\n%s", got)
	}
}

// TestRefused sends plans that the kernel refuses, and compares what there is.
func TestRefused(t *testing.T) {
	r := newRig(t)
	text := artifacts(t)["../testdata/everything.nft"]
	r.apply(Diff(r.observe(), parse(t, text)))
	good := r.list()
	bad := parse(t, artifacts(t)["../testdata/policies.nft"])
	tab := bad.Tables[0]
	tab.Chains[0].Rules = append(tab.Chains[0].Rules, &Rule{Exprs: func() []byte {
		var w writer
		at := w.nest(listElem)
		w.str(exprName, "nosuch")
		w.done(at)
		return w.b
	}()})
	err := r.Do(func() error { return Apply(t.Context(), Diff(&State{Model: parse(t, text)}, bad)) })
	if err == nil {
		t.Fatal("the kernel took it")
	}
	t.Log(err)
	if !strings.Contains(err.Error(), tab.Chains[0].Name) || !strings.Contains(err.Error(), "nosuch") {
		t.Error("the error does not say where")
	}
	if d := cmp.Diff(good, r.list()); d != "" {
		t.Errorf("-before +after:\n%s", d)
	}
}

// TestNoPrivilege asks without CAP_NET_ADMIN.
func TestNoPrivilege(t *testing.T) {
	r := newRig(t)
	want := parse(t, artifacts(t)["../testdata/everything.nft"])
	// The thread keeps its credentials; it ends with the rig.
	err := r.Do(func() error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var have, data [2]unix.CapUserData
		if err := unix.Capget(&header, &have[0]); err != nil {
			return err
		}
		data = have
		data[0].Effective &^= 1 << unix.CAP_NET_ADMIN
		if err := unix.Capset(&header, &data[0]); err != nil {
			return err
		}
		_, observing := Observe(t.Context())
		applying := Apply(t.Context(), diffModels(&Model{}, want))
		if err := unix.Capset(&header, &have[0]); err != nil {
			return err
		}
		t.Log(observing, "\n", applying)
		for _, err := range []error{observing, applying} {
			if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
				return fmt.Errorf("error %w", err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestCancelled does nothing once its context is.
func TestCancelled(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := r.Do(func() error { _, err := Observe(ctx); return err })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
