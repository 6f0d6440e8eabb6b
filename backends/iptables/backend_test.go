package iptables_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/iptables"
	"github.com/planec/planec/ir"
)

// TestDeterminism shuffles what has no order and wants the same bytes.
func TestDeterminism(t *testing.T) {
	for seed := range uint64(20) {
		p := irtest.RandomProgram(rand.New(rand.NewPCG(seed, 1)))
		if seed%2 == 1 {
			p = policedProgram(seed)
		}
		want := emit(t, p, backends.DefaultOptions())
		rng := rand.New(rand.NewPCG(seed, 2))
		for range 5 {
			rng.Shuffle(len(p.Frontends), func(i, j int) { p.Frontends[i], p.Frontends[j] = p.Frontends[j], p.Frontends[i] })
			rng.Shuffle(len(p.Pools), func(i, j int) { p.Pools[i], p.Pools[j] = p.Pools[j], p.Pools[i] })
			for k := range p.Pools {
				e := p.Pools[k].Endpoints
				rng.Shuffle(len(e), func(i, j int) { e[i], e[j] = e[j], e[i] })
			}
			rng.Shuffle(len(p.Policy.Profiles), func(i, j int) {
				p.Policy.Profiles[i], p.Policy.Profiles[j] = p.Policy.Profiles[j], p.Policy.Profiles[i]
			})
			rng.Shuffle(len(p.Policy.AddressSets), func(i, j int) {
				p.Policy.AddressSets[i], p.Policy.AddressSets[j] = p.Policy.AddressSets[j], p.Policy.AddressSets[i]
			})
			p.Normalize()
			if !maps.Equal(emit(t, p, backends.DefaultOptions()), want) {
				t.Fatalf("seed %d: other bytes for an equal program", seed)
			}
		}
	}
}

func TestNoComments(t *testing.T) {
	for name, text := range emit(t, irtest.KitchenSink(), backends.Options{MasqueradeBit: 14, NoComments: true}) {
		if strings.Contains(text, "comment") || strings.Contains(text, "cart") {
			t.Errorf("%s has comments", name)
		}
	}
}

func TestMasqueradeBit(t *testing.T) {
	for _, bit := range []int{-1, 32} {
		if _, err := iptables.New(backends.Options{MasqueradeBit: bit}).Emit(irtest.KitchenSink()); err == nil {
			t.Errorf("bit %d is taken", bit)
		}
	}
	if files := emit(t, irtest.KitchenSink(), backends.Options{MasqueradeBit: 0}); !strings.Contains(files["iptables.rules"], "-j MARK --set-xmark 0x1/0x1\n") {
		t.Error("bit 0 is not 0x1")
	}
}

func TestUnknownPool(t *testing.T) {
	p := irtest.KitchenSink()
	p.Frontends[0].Internal.Pool = "nowhere"
	if _, err := iptables.New(backends.DefaultOptions()).Emit(p); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("got %v", err)
	}
}

// TestCheck: what Check reports is what Emit refuses.
func TestCheck(t *testing.T) {
	b := iptables.New(backends.DefaultOptions())
	p := irtest.KitchenSink()
	if got := b.Check(p); len(got) != 0 {
		t.Errorf("Check says %v", got)
	}
	for i := range p.Frontends {
		if p.Frontends[i].Affinity != 0 {
			p.Frontends[i].Affinity = 2147484
		}
	}
	if got := b.Check(p); len(got) != 1 || !strings.Contains(got[0].Message, "Service shop/sticky: affinity of 2147484 s") {
		t.Errorf("Check says %v", got)
	}
	files := emit(t, p, backends.DefaultOptions())
	if text := files["iptables.rules"]; strings.Contains(text, "plc-af-") || !strings.Contains(text, "cart") || !strings.Contains(files["ipset.rules"], "add plc-reject-4-new 10.96.0.1,tcp:90") {
		t.Errorf("not exactly the sticky frontends are refused: %s", files["ipset.rules"])
	}
}

// TestBounds checks every name and line of programs with very many objects of
// every kind.
func TestBounds(t *testing.T) {
	programs := goldens()
	programs["many"], programs["ports"] = irtest.ManyServices(20000), manyPorts()
	programs["many-policies"], programs["many-profiles"] = manyPolicies(1000, true), manyProfiles(250)
	for name, p := range programs {
		for file, text := range emit(t, p, backends.DefaultOptions()) {
			seen := make(map[string]bool)
			table := ""
			for line := range strings.Lines(text) {
				words := strings.Fields(line)
				switch {
				case line[0] == '*':
					table = line
				case line[0] == ':' && (len(words[0]) > 29 || seen[table+words[0]]):
					t.Errorf("%s: %s: chain %s is too long or declared twice", name, file, words[0])
				case words[0] == "create" && len(words[1]) > 31:
					t.Errorf("%s: %s: set %s is too long", name, file, words[1])
				}
				if line[0] == ':' {
					seen[table+words[0]] = true
				}
				if len(line) > 512 {
					t.Errorf("%s: %s: a line of %d bytes", name, file, len(line))
				}
			}
		}
	}
}

// manyPorts has one address, and the node, with very many ports of all protocols,
// and one very large pool.
func manyPorts() *ir.Program {
	p := irtest.KitchenSink()
	p.Frontends, p.Pools = nil, []ir.Pool{{ID: "large"}, {ID: "large6"}}
	for i := range 1000 {
		a := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		p.Pools[0].Endpoints = append(p.Pools[0].Endpoints, ir.Endpoint{Address: netip.AddrPortFrom(a, 8080), Weight: uint16(1 + i%3)})
	}
	p.Pools[1].Endpoints = []ir.Endpoint{{Address: netip.MustParseAddrPort("[fd00:10:1::2]:90"), Weight: 1}}
	for i := range 900 {
		protocol := ir.Protocols()[i%3]
		port := uint16(1 + i*61)
		for kind, at := range map[ir.FrontendKind]string{ir.LoadBalancer: "203.0.113.1", ir.NodePort: "0.0.0.0", ir.ExternalIP: "[fd00:9::1]"} {
			pool := "large"
			if kind == ir.ExternalIP {
				pool = "large6"
			}
			f := irtest.Frontend(kind, fmt.Sprint("svc-", i), fmt.Sprintf("%s:%d", at, port), pool)
			f.Match.Protocol, f.Service.Protocol = protocol, protocol
			f.ID += protocol.String()
			p.Frontends = append(p.Frontends, f)
		}
	}
	p.Normalize()
	return p
}

// FuzzNames: no part of a name becomes a rule, a line or a separate word.
func FuzzNames(f *testing.F) {
	f.Add("shop", "a\"b\n-A INPUT -j DROP\nCOMMIT", "\\")
	f.Add("", strings.Repeat("n", 300), "'\x00")
	f.Add("--", "!", "-j")
	plain := emit(f, irtest.KitchenSink(), backends.Options{MasqueradeBit: 14})
	f.Fuzz(func(t *testing.T, namespace, name, port string) {
		if namespace == "" || name == "" {
			return
		}
		p := irtest.KitchenSink()
		for i := range p.Frontends {
			p.Frontends[i].Service.Namespace, p.Frontends[i].Service.Name, p.Frontends[i].Service.Port = namespace, name, port
		}
		files := emit(t, p, backends.DefaultOptions())
		for file, text := range files {
			if strings.Count(text, "\n") > strings.Count(plain[file], "\n") {
				t.Fatalf("%s: more lines than usual", file)
			}
			for line := range strings.Lines(text) {
				if !plainLine(line) {
					t.Fatalf("%s: %q", file, line)
				}
			}
		}
	})
}

// plainLine wants printable ASCII, and quotes around one comment only.
func plainLine(line string) bool {
	for i := range len(line) - 1 {
		if c := line[i]; c < ' ' || c > '~' || c == '\\' || c == '\'' {
			return false
		}
	}
	before, rest, commented := strings.Cut(line, `"`)
	if !commented {
		return true
	}
	comment, after, closed := strings.Cut(rest, `"`)
	return closed && strings.HasSuffix(before, "--comment ") && len(comment) <= 255 && !strings.Contains(after, `"`) && !strings.ContainsAny(comment, " \t")
}

// TestSetsForAffinity refuses the Services that need the most sets, and no others.
func TestSetsForAffinity(t *testing.T) {
	p := &ir.Program{Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	add := func(name string, endpoints int) {
		var at []string
		for i := range endpoints {
			at = append(at, fmt.Sprintf("10.%d.%d.%d:80", 1+i>>16, i>>8&255, i&255))
		}
		p.Pools = append(p.Pools, irtest.Pool(name, at...))
		f := irtest.Frontend(ir.ClusterIP, name, fmt.Sprintf("10.96.0.%d:80", 1+len(p.Frontends)), name)
		f.Affinity = 600
		p.Frontends = append(p.Frontends, f)
	}
	add("too-many", 1025)
	add("most", 1024)
	for i := range 8 {
		add(fmt.Sprintf("many-%d", i), 1000)
	}
	add("few", 10)
	p.Normalize()
	var refused []string
	for _, d := range iptables.New(backends.DefaultOptions()).Check(p) {
		name, _, _ := strings.Cut(d.Message, ":")
		refused = append(refused, name)
	}
	slices.Sort(refused)
	if want := []string{"Service shop/most", "Service shop/too-many"}; !slices.Equal(refused, want) {
		t.Errorf("%q are refused, want %q", refused, want)
	}
	if sets := strings.Count(emit(t, p, backends.DefaultOptions())["ipset.rules"], "create plc-af-"); sets != 8*1000+10 {
		t.Errorf("%d sets of clients", sets)
	}
}
