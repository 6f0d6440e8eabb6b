package frrtest_test

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planec/planec/backends/frr"
	"github.com/planec/planec/compiler/announce"
	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/testing/frrtest"
	"github.com/planec/planec/ir/bgp"
)

// changes is 20 in a lane of its own: `make frr`.
var changes = flag.Int("changes", 4, "how many random changes are made")

// convergence bounds how long a table may take.
const convergence = 30 * time.Second

// lab is two routers, tor (another AS) and spine (the nodes' own), and nodes.
type lab struct {
	t          *testing.T
	tor, spine *frrtest.Host
	nodes      []*frrtest.Host
	had        map[string]string // the configuration of each node
}

func newLab(t *testing.T) *lab {
	hosts := frrtest.Start(t, "tor", "spine", "a", "b", "c")
	l := &lab{t: t, tor: hosts[0], spine: hosts[1], nodes: hosts[2:], had: make(map[string]string)}
	for _, r := range []struct {
		host *frrtest.Host
		as   int
		kind string
	}{{l.tor, 64513, "external"}, {l.spine, 64512, "internal"}} {
		conf := fmt.Sprintf(`frr defaults traditional
router bgp %d
 bgp router-id %s
 no bgp ebgp-requires-policy
 neighbor nodes peer-group
 neighbor nodes remote-as %s
 neighbor nodes bfd
 bgp listen range 10.9.0.0/24 peer-group nodes
 bgp listen range fd09::/64 peer-group nodes
 address-family ipv4 unicast
  maximum-paths 8
  maximum-paths ibgp 8
 exit-address-family
 address-family ipv6 unicast
  neighbor nodes activate
 exit-address-family
exit
`, r.as, r.host.IPv4(), r.kind)
		if err := r.host.Load([]byte(conf)); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// compile returns what each node does.
func (l *lab) compile(text string) map[string]bgp.Speaker {
	l.t.Helper()
	set, diags, err := manifest.LoadFrom(context.Background(), "in.yaml", strings.NewReader(text))
	if err != nil {
		l.t.Fatal(err)
	}
	for _, d := range diags {
		l.t.Error(d)
	}
	set.Deduplicate(&diags)
	c := announce.New(&set, ipam.Settings{})
	out := make(map[string]bgp.Speaker)
	for _, n := range l.nodes {
		out[n.Name], _ = c.BGP(n.Name)
	}
	return out
}

// apply gives nodes their configurations by FRR's reload, those that changed.
func (l *lab) apply(speakers map[string]bgp.Speaker) {
	l.t.Helper()
	var wg sync.WaitGroup
	for _, n := range l.nodes {
		s := speakers[n.Name]
		conf := frr.Emit(&s, frr.Options{}).Files[0].Data
		if l.had[n.Name] == string(conf) {
			continue
		}
		l.had[n.Name] = string(conf)
		wg.Go(func() {
			if err := n.Load(conf); err != nil {
				l.t.Errorf("%v\n%s", err, conf)
			}
		})
	}
	wg.Wait()
	if l.t.Failed() {
		l.t.FailNow()
	}
}

// settled wants nothing to be left that another reload would change.
func (l *lab) settled() {
	l.t.Helper()
	for _, n := range l.nodes {
		left, err := n.Left()
		if lines := differences(left); err != nil || len(lines) > 0 {
			l.t.Errorf("node %s: the reload leaves a difference: %v, %q\n%s", n.Name, err, lines, l.had[n.Name])
		}
	}
}

// differences are the lines of `frr-reload.py --test` that it would delete or add, but for the
// name of the host, which FRR always has.
func differences(out string) (lines []string) {
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if line == "" || strings.Contains(line, "INFO") || strings.HasPrefix(line, "Lines To") || strings.HasPrefix(line, "===") || strings.HasPrefix(line, "no hostname") {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// want is the table that a router must have.
func (l *lab) want(router *frrtest.Host, speakers map[string]bgp.Speaker) frrtest.Table {
	out := make(frrtest.Table)
	for _, n := range l.nodes {
		for _, r := range speakers[n.Name].Routers {
			for _, x := range r.Neighbors {
				from := n.IPv4()
				switch x.Address.String() {
				case router.IPv4():
				case router.IPv6():
					from = n.IPv6()
				default:
					continue
				}
				for _, route := range x.Routes {
					out[route.Prefix] = append(out[route.Prefix], path(from, route, router == l.spine))
				}
			}
		}
	}
	for _, paths := range out {
		slices.SortFunc(paths, func(a, b frrtest.Path) int { return strings.Compare(a.From, b.From) })
	}
	return out
}

// path is what a router sees of a route; the local preference of a neighbor in its own AS only.
func path(from string, r bgp.Route, internal bool) frrtest.Path {
	p := frrtest.Path{From: from}
	if internal {
		p.LocalPref = 100 // of FRR, where none is set
		if r.LocalPref > 0 {
			p.LocalPref = r.LocalPref
		}
	}
	names := map[string]string{"65535:65281": "noExport", "65535:65282": "noAdvertise"} // of FRR's JSON
	var standard, large []string
	for _, c := range r.Communities {
		text := c.String()
		if named := names[text]; named != "" {
			text = named
		}
		if c.Large {
			large = append(large, text)
		} else {
			standard = append(standard, text)
		}
	}
	slices.Sort(standard)
	slices.Sort(large)
	p.Communities = strings.Join(append(standard, large...), " ")
	return p
}

// converge waits until both routers have the tables that they must have.
func (l *lab) converge(what string, speakers map[string]bgp.Speaker) {
	l.t.Helper()
	for _, r := range []*frrtest.Host{l.tor, l.spine} {
		want := l.want(r, speakers)
		frrtest.Eventually(l.t, convergence, what+": the table of "+r.Name, func() error {
			got := make(frrtest.Table)
			for _, f := range []string{"ipv4", "ipv6"} {
				if err := r.BGP(f, got); err != nil {
					return err
				}
			}
			if !reflect.DeepEqual(got, want) {
				return fmt.Errorf("it is\n%s\nwant\n%s", got, want)
			}
			return nil
		})
	}
}

// TestBGP announces addresses to real routers: several next hops, attributes, networks, both
// families, a failing node that BFD would notice, and the end of the last endpoint.
func TestBGP(t *testing.T) {
	l := newLab(t)
	w := firstWorld()
	step := func(what string) map[string]bgp.Speaker {
		t.Helper()
		s := l.compile(w.text())
		l.apply(s)
		l.converge(what, s)
		l.settled()
		return s
	}
	first := step("at first")
	web := netip.MustParsePrefix("203.0.113.1/32")
	if got := l.want(l.tor, first)[web]; len(got) != 3 {
		t.Errorf("a Service with the policy Cluster has the paths %v", got)
	}
	frrtest.Eventually(t, convergence, "three next hops", func() error {
		out, err := l.tor.Show("show bgp ipv4 unicast 203.0.113.1/32 json")
		if n := strings.Count(string(out), `"multipath":true`); err != nil || n != 3 {
			return fmt.Errorf("%d paths at once, %v\n%s", n, err, out)
		}
		return nil
	})
	if got := l.want(l.spine, first)[web]; got[0].LocalPref != 200 || !strings.Contains(got[0].Communities, "64512:10") {
		t.Errorf("the attributes are %v", got)
	}
	frrtest.Eventually(t, convergence, "BFD with all nodes", func() error {
		out, err := l.tor.Show("show bfd peers json")
		if n := strings.Count(string(out), `"status":"up"`); err != nil || n < 3 {
			return fmt.Errorf("%d sessions are up, %v\n%s", n, err, out)
		}
		return nil
	})

	w.services[1].nodes = []string{"b"}
	step("one local endpoint")
	w.services[1].nodes = nil
	last := step("no local endpoint")
	if got := l.want(l.tor, last)[netip.MustParsePrefix("203.0.113.2/32")]; got != nil {
		t.Errorf("a Service without endpoints has the paths %v", got)
	}
	w.length = 28
	wide := step("networks")
	if got := l.want(l.tor, wide)[netip.MustParsePrefix("203.0.113.0/28")]; len(got) != 3 {
		t.Errorf("the network has the paths %v", got)
	}
	w.excluded["a"] = true
	if got := l.want(l.tor, step("a node is excluded"))[netip.MustParsePrefix("203.0.113.0/28")]; len(got) != 2 {
		t.Errorf("the network has the paths %v", got)
	}
}

// TestRandomChanges changes Services, endpoints, nodes, peers and pools, and wants the tables of
// both routers to be what was computed, after each change.
func TestRandomChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: FRR's reload takes seconds for each change")
	}
	l := newLab(t)
	w := firstWorld()
	for range 3 {
		w.comes()
	}
	changes := *changes
	routes := 0
	for i := range changes + 1 {
		what := "at first"
		if i > 0 {
			what = w.change()
		}
		s := l.compile(w.text())
		l.apply(s)
		l.converge(fmt.Sprintf("change %d, %s", i, what), s)
		routes += len(l.want(l.tor, s)) + len(l.want(l.spine, s))
	}
	l.settled()
	if routes < 5*changes {
		t.Errorf("only %d routes were compared", routes)
	}
	t.Logf("%d changes, %d routes compared", changes, routes)
}
