package live_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	emit "github.com/planec/planec/backends/podnet"
	"github.com/planec/planec/backends/podnet/live"
	"github.com/planec/planec/compiler/objects"
	lower "github.com/planec/planec/compiler/podnet"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
	"github.com/planec/planec/ir/podnet"
)

// world is a cluster whose nodes planec routes between.
type world struct {
	*testing.T
	*testkit.PodCluster
	settings podnet.Settings
	kernels  map[string]*live.Kernel
	// before is what was there without planec.
	before map[string]string
}

func newWorld(t *testing.T, s podnet.Settings) *world {
	testkit.Require(t, "ip", "bridge")
	return &world{T: t, PodCluster: testkit.NewPodCluster(t), settings: s, kernels: make(map[string]*live.Kernel), before: make(map[string]string)}
}

// begin opens the kernels of nodes that are new.
func (w *world) begin() {
	w.Helper()
	for _, n := range w.Nodes {
		if w.kernels[n.Name] != nil {
			continue
		}
		w.before[n.Name] = w.dump(n.Machine)
		var k *live.Kernel
		err := n.Do(func() (err error) { k, err = live.Open(); return err })
		if err != nil {
			w.Fatal(err)
		}
		w.Cleanup(k.Close)
		w.kernels[n.Name] = k
	}
}

// operstate is what the kernel says of an interface, some time after it is so.
var operstate = regexp.MustCompile(` state [A-Z]+`)

// dump is what a node has of routes, interfaces, neighbours and forwarding entries. What
// comes and goes by itself is left out, and so is what planec made.
func (w *world) dump(m *testkit.Machine) string {
	w.Helper()
	var out []string
	for _, c := range []string{"ip -4 route show table all", "ip -6 route show table all", "ip -o link", "ip -o address", "ip neigh show nud permanent", "bridge fdb show"} {
		words := strings.Fields(c)
		text, err := m.Run(words[0], words[1:]...)
		if err != nil {
			w.Fatal(err)
		}
		for line := range strings.Lines(text) {
			own := strings.Contains(line, "planec-vx") || strings.Contains(line, "planec-gnv") || strings.Contains(line, "proto 112")
			passing := words[0] == "bridge" && (!strings.Contains(line, "permanent") || strings.HasPrefix(line, "33:33:") || strings.HasPrefix(line, "01:00:5e:"))
			if !own && !passing {
				out = append(out, operstate.ReplaceAllString(line, ""))
			}
		}
	}
	return strings.Join(out, "")
}

func (w *world) objects() *objects.Set {
	var set objects.Set
	for _, n := range w.Nodes {
		o := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name}}
		for _, c := range n.CIDRs() {
			o.Spec.PodCIDRs = append(o.Spec.PodCIDRs, c.String())
		}
		for _, a := range n.Addresses() {
			o.Status.Addresses = append(o.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: a.String()})
		}
		set.Nodes = append(set.Nodes, objects.Sourced[*corev1.Node]{Object: o})
	}
	return &set
}

// plan is what a node's kernel lacks.
func (w *world) plan(n *testkit.PodNode) *live.Plan {
	w.Helper()
	k, s := w.kernels[n.Name], w.settings
	var err error
	if len(s.Subnets) == 0 {
		if s.Subnets, s.UnderlayMTU, err = k.Underlay(n.Addresses()); err != nil {
			w.Fatal(err)
		}
	}
	want, diags := lower.Lower(w.objects(), n.Name, s, &objects.Config{})
	if len(diags) > 0 {
		w.Fatal(diags)
	}
	p, err := k.Plan(&want)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// apply makes all kernels right, and checks that nothing is left to do and every pod
// reaches every other one.
func (w *world) apply() {
	w.Helper()
	w.begin()
	for _, n := range w.Nodes {
		if err := w.plan(n).Apply(); err != nil {
			w.Fatal(err)
		}
	}
	w.right()
}

// few leaves one pod on each node, in User Mode Linux, where connections take their time:
// TestModes has all.
func (w *world) few() {
	for _, n := range w.Nodes {
		if uml.Inside() {
			n.Pods = n.Pods[:1]
		}
	}
}

func (w *world) right() {
	w.Helper()
	for _, n := range w.Nodes {
		if steps := w.plan(n).Steps(); len(steps) > 0 {
			w.Errorf("%s: an apply leaves\n%s", n.Name, strings.Join(steps, "\n"))
		}
	}
	if err := w.Reach(); err != nil {
		w.Fatal(err)
	}
}

// clean removes everything, and checks that nothing else changed since the beginning.
func (w *world) clean() {
	w.Helper()
	for _, n := range w.Nodes {
		if now := w.dump(n.Machine); now != w.before[n.Name] {
			w.Errorf("%s: what is not planec's changed\n--- before\n%s\n--- now\n%s", n.Name, w.before[n.Name], now)
		}
		p, err := w.kernels[n.Name].Clean()
		if err == nil {
			err = p.Apply()
		}
		if err != nil {
			w.Fatal(err)
		}
		if now := w.dump(n.Machine); now != w.before[n.Name] {
			w.Errorf("%s: clean left another kernel\n--- before\n%s\n--- now\n%s", n.Name, w.before[n.Name], now)
		}
		for _, c := range []string{"ip route show proto 112", "ip -6 route show proto 112", "ip link show dev planec-vx4", "ip link show dev planec-vx6", "ip link show dev planec-gnv"} {
			if out, err := n.Run("ip", strings.Fields(c)[1:]...); out != "" {
				w.Errorf("%s: after clean: %s: %s %v", n.Name, c, out, err)
			}
		}
	}
}

// TestModes has two and three nodes in each mode, and a node that comes and goes.
func TestModes(t *testing.T) {
	for _, mode := range modes() {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t, podnet.Settings{Mode: mode})
			w.Near(1)
			w.Near(2)
			w.apply()
			if mode == podnet.Native {
				w.Near(3)
			} else {
				w.Far(3)
				w.forgetDumps() // the router gave the nodes default routes
			}
			w.apply()
			w.kinds(mode)
			gone := w.Nodes[2]
			w.Nodes = w.Nodes[:2]
			w.apply()
			for _, n := range w.Nodes {
				out, err := n.Run("ip", "route", "show", gone.CIDRs()[0].String())
				if err != nil || out != "" {
					t.Errorf("%s: a route to a node that is gone: %s %v", n.Name, out, err)
				}
			}
			w.Nodes = append(w.Nodes, gone)
			w.apply()
			w.clean()
		})
	}
}

func (w *world) forgetDumps() {
	for _, n := range w.Nodes {
		w.before[n.Name] = w.dump(n.Machine)
	}
}

// kinds checks which routes are encapsulated.
func (w *world) kinds(mode podnet.Mode) {
	w.Helper()
	for _, n := range w.Nodes {
		for _, other := range w.Nodes {
			if n == other {
				continue
			}
			for i, c := range other.CIDRs() {
				family := []string{"-4", "-6"}[i]
				out, err := n.Run("ip", family, "route", "show", c.String())
				far := mode == whole() || mode == auto() && n.Remote != other.Remote
				if err != nil || strings.Contains(out, "dev planec-") != far || strings.Count(out, "\n") != 1 {
					w.Errorf("%s: route to %v: %s %v", n.Name, c, out, err)
				}
			}
		}
	}
}

// devices are those of the modes that are tested here.
func devices() []string {
	if uml.Inside() {
		return []string{"planec-gnv"}
	}
	return []string{"planec-vx4", "planec-vx6"}
}

// TestFiles loads the files that compile writes by their own programs: the kernel is right then.
func TestFiles(t *testing.T) {
	w := newWorld(t, podnet.Settings{Mode: auto()})
	w.Near(1)
	w.Near(2)
	w.Far(3)
	w.few()
	w.begin()
	for _, n := range w.Nodes {
		s := w.settings
		s.Subnets = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8:1::/64")}
		if n.Remote {
			s.Subnets = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8:2::/64")}
		}
		want, _ := lower.Lower(w.objects(), n.Name, s, &objects.Config{})
		files, dir := emit.Emit(&want), t.TempDir()
		for _, f := range []struct{ program, name string }{{"ip", emit.RoutesFile}, {"bridge", emit.ForwardingFile}} {
			path := filepath.Join(dir, f.name)
			if err := os.WriteFile(path, files.File(f.name), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := n.Run(f.program, "-batch", path); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.right()
	w.clean()
}

// TestNode checks that nodes reach pods of others, and by which address.
func TestNode(t *testing.T) {
	w := newWorld(t, podnet.Settings{Mode: whole()})
	w.Near(1)
	w.Near(2)
	w.apply()
	for i, to := range w.Nodes[1].Pods[0].Addresses {
		if saw, err := w.Nodes[0].Ask("tcp", to); err != nil || saw != w.Nodes[0].CIDRs()[i].Addr() {
			t.Errorf("to %v: came from %v: %v", to, saw, err)
		}
	}
	w.clean()
}

// TestAddressChange gives a node another address, and another MTU and VNI to all.
func TestAddressChange(t *testing.T) {
	w := newWorld(t, podnet.Settings{Mode: whole()})
	w.Near(1)
	w.Near(2)
	w.few()
	w.apply()
	n := w.Nodes[1]
	for _, c := range []string{"ip address del 192.0.2.2/24 dev eth0", "ip address del 2001:db8:1::2/64 dev eth0", "ip address add 192.0.2.77/24 dev eth0", "ip address add 2001:db8:1::77/64 dev eth0"} {
		if _, err := n.Run("ip", strings.Fields(c)[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	w.moved(n, "192.0.2.77", "2001:db8:1::77")
	w.settings.MTU = 1300
	w.applyMoved(n, "192.0.2.77", "2001:db8:1::77")
	w.settings.VNI, w.settings.Port = 99, 8472
	w.applyMoved(n, "192.0.2.77", "2001:db8:1::77")
	out, err := n.Run("ip", "-d", "link", "show", devices()[0])
	want := "vxlan id 99 local 192.0.2.77"
	if uml.Inside() {
		want = "geneve external"
		if routes, err := n.Run("ip", "route", "show", "proto", "112"); err != nil || !strings.Contains(routes, "id 99 src 192.0.2.77 dst 192.0.2.1 ttl 64") {
			t.Errorf("%s %v", routes, err)
		}
	}
	if err != nil || !strings.Contains(out, want) || !strings.Contains(out, "dstport 8472") || !strings.Contains(out, "mtu 1300") {
		t.Errorf("%s %v", out, err)
	}
}

// moved checks that a change of address is made on the device that is there.
func (w *world) moved(n *testkit.PodNode, addresses ...string) {
	w.Helper()
	index := func() string {
		out, err := n.Run("ip", "-o", "link", "show", devices()[0])
		if err != nil {
			w.Fatal(err)
		}
		return strings.SplitN(out, ":", 2)[0]
	}
	was := index()
	w.applyMoved(n, addresses...)
	if now := index(); now != was {
		w.Errorf("device %s became %s: there was a moment without routes", was, now)
	}
}

func (w *world) applyMoved(moved *testkit.PodNode, addresses ...string) {
	w.Helper()
	set := w.objects()
	for _, o := range set.Nodes {
		if o.Object.Name != moved.Name {
			continue
		}
		o.Object.Status.Addresses = nil
		for _, a := range addresses {
			o.Object.Status.Addresses = append(o.Object.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: a})
		}
	}
	for _, n := range w.Nodes {
		want, _ := lower.Lower(set, n.Name, w.settings, &objects.Config{})
		for i := range 2 {
			p, err := w.kernels[n.Name].Plan(&want)
			if err != nil {
				w.Fatal(err)
			}
			if i == 1 && len(p.Steps()) > 0 {
				w.Errorf("%s: an apply leaves %q", n.Name, p.Steps())
			}
			if err := p.Apply(); err != nil {
				w.Fatal(err)
			}
		}
	}
	if err := w.Reach(); err != nil {
		w.Fatal(err)
	}
}

// TestDrift changes what planec made in many ways; each is seen and put back.
func TestDrift(t *testing.T) {
	w := newWorld(t, podnet.Settings{Mode: auto()})
	w.Near(1)
	w.Near(2)
	w.Far(3)
	w.few()
	w.apply()
	n := w.Nodes[0]
	changes := []string{
		"ip route del 10.244.2.0/24",
		"ip route del 10.244.3.0/24",
		"ip -6 route del fd00:3::/64",
		"ip route replace 10.244.3.0/24 via 192.0.2.254 proto 112",
		"ip -6 route replace fd00:2::/64 via 2001:db8:1::fe proto 112",
		"ip route add 10.99.0.0/16 via 192.0.2.254 proto 112",
		"ip route add 10.244.2.0/24 via 192.0.2.254 metric 50 proto 112",
		"ip neigh flush dev DEV nud permanent",
		"ip neigh add 10.77.0.0 lladdr 02:00:00:00:00:01 dev DEV nud permanent",
		"ip address flush dev DEV",
		"ip address add 10.78.0.1/24 dev DEV",
		"ip link set DEV down",
		"ip link set DEV mtu 1400",
		"ip link set DEV address 02:00:00:00:00:02",
		"ip link del DEV",
		"ip -6 route change fd00:3::/64 via 2001:db8:1::fe proto 112",
	}
	if uml.Inside() {
		changes = append(changes,
			"ip route replace 10.244.3.0/24 encap ip id 83 src 192.0.2.1 dst 192.0.2.9 ttl 64 via 10.244.3.0 dev DEV proto 112 onlink",
			"ip route replace 10.244.3.0/24 encap ip id 84 src 192.0.2.1 dst 198.51.100.3 ttl 64 via 10.244.3.0 dev DEV proto 112 onlink",
			"ip route replace 10.244.3.0/24 encap ip id 83 src 192.0.2.1 dst 198.51.100.3 via 10.244.3.0 dev DEV proto 112 onlink",
			"ip route replace 10.244.3.0/24 encap ip id 83 src 192.0.2.1 dst 198.51.100.3 ttl 64 tos 8 via 10.244.3.0 dev DEV proto 112 onlink",
			"ip route replace 10.244.3.0/24 via 10.244.3.0 dev DEV proto 112 onlink",
			"ip route replace 10.244.2.0/24 encap ip id 83 dst 192.0.2.2 via 192.0.2.2 dev eth0 proto 112",
			"ip -6 route replace fd00:3::/64 encap ip6 id 83 dst 2001:db8:2::9 via fe80::9 dev DEV proto 112 onlink",
			"ip route add 10.99.0.0/16 encap ip id 9 dst 192.0.2.9 dev DEV proto 112",
		)
	} else {
		changes = append(changes, "bridge fdb add 02:00:00:00:00:01 dev DEV dst 192.0.2.9 self permanent", "ip link del planec-vx6")
	}
	for _, c := range changes {
		words := strings.Fields(strings.ReplaceAll(c, "DEV", devices()[0]))
		if _, err := n.Run(words[0], words[1:]...); err != nil {
			t.Fatal(err)
		}
		p := w.plan(n)
		if len(p.Steps()) == 0 {
			t.Errorf("%s: is not seen", c)
		}
		if err := p.Apply(); err != nil {
			t.Errorf("%s: %v", c, err)
		}
		if steps := w.plan(n).Steps(); len(steps) > 0 {
			t.Errorf("%s: leaves %q", c, steps)
		}
	}
	w.right()
	w.clean()
}

// TestForeign has other programs' things in the way.
func TestForeign(t *testing.T) {
	w := newWorld(t, podnet.Settings{Mode: podnet.Native})
	w.Near(1)
	w.Near(2)
	n := w.Nodes[0]
	for _, c := range []string{
		"ip route add 10.244.2.0/24 via 192.0.2.2 metric 7 proto static", "ip -6 route add blackhole fd00:2::/64",
		"ip route add 10.200.0.0/16 via 192.0.2.2", "ip neigh add 192.0.2.99 lladdr 02:00:00:00:00:01 dev eth0 nud permanent", otherDevice(),
	} {
		if _, err := n.Run("ip", strings.Fields(c)[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	w.begin()
	p := w.plan(n)
	if len(p.Steps()) > 0 || len(p.Foreign()) != 2 || p.Foreign()[0].To != netip.MustParsePrefix("10.244.2.0/24") || p.Foreign()[0].Origin.Name != "node-2" {
		t.Errorf("%q %+v", p.Steps(), p.Foreign())
	}
	// A foreign route that comes later takes the place.
	if _, err := n.Run("ip", "route", "del", "10.244.2.0/24"); err != nil {
		t.Fatal(err)
	}
	w.before[n.Name] = w.dump(n.Machine)
	if err := w.plan(n).Apply(); err != nil {
		t.Fatal(err)
	}
	if out, _ := n.Run("ip", "route", "show", "10.244.2.0/24"); !strings.Contains(out, "proto 112") {
		t.Errorf("no route: %s", out)
	}
	if _, err := n.Run("ip", "route", "add", "10.244.2.0/24", "via", "192.0.2.2", "metric", "7"); err != nil {
		t.Fatal(err)
	}
	w.before[n.Name] = w.dump(n.Machine)
	if err := w.plan(n).Apply(); err != nil {
		t.Fatal(err)
	}
	w.clean()

	// A device of another kind has planec's name.
	w.settings.Mode = whole()
	if _, err := n.Run("ip", "link", "add", devices()[0], "type", "bridge"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.kernels[n.Name].Clean(); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("a foreign device: %v", err)
	}
}

// TestNeverWithout replaces a route many times while another process looks for it.
func TestNeverWithout(t *testing.T) {
	w := newWorld(t, podnet.Settings{Mode: whole()})
	w.Near(1)
	w.Near(2)
	w.apply()
	from, to := w.Nodes[0].Pods[0], w.Nodes[1].Pods[0].Addresses[0]
	done, lost := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(lost)
		for {
			select {
			case <-done:
				return
			default:
			}
			// With no route there is an answer at once: "no route to host".
			if _, err := from.Ask("tcp", to); err != nil {
				lost <- err
				return
			}
		}
	}()
	for i := range 20 {
		w.settings.Mode = []podnet.Mode{podnet.Native, whole()}[i%2]
		for _, n := range w.Nodes {
			if err := w.keepDevice(n).Apply(); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(done)
	if err := <-lost; err != nil {
		t.Error(err)
	}
}

// keepDevice plans a mode without the removal of devices: the other node's packets still
// come through them.
func (w *world) keepDevice(n *testkit.PodNode) *live.Plan {
	w.Helper()
	if w.settings.Mode == whole() {
		return w.plan(n)
	}
	s := w.settings
	s.Mode = whole()
	want, _ := lower.Lower(w.objects(), n.Name, s, &objects.Config{})
	for i, r := range want.Routes {
		for _, other := range w.Nodes {
			for j, c := range other.CIDRs() {
				if c == r.To {
					want.Routes[i].Via, want.Routes[i].Device, want.Routes[i].Tunnel = other.Addresses()[j], "", podnet.Tunnel{}
				}
			}
		}
	}
	p, err := w.kernels[n.Name].Plan(&want)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// TestMany has routes to 2,000 nodes: they come, are there, and go.
func TestMany(t *testing.T) {
	w := newWorld(t, podnet.Settings{Mode: podnet.VXLAN})
	n := w.Near(1)
	w.begin()
	set := w.objects()
	for i := range 2000 {
		o := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("many-%d", i)}}
		o.Spec.PodCIDRs = []string{fmt.Sprintf("10.%d.%d.0/24", 100+i/200, i%200)}
		o.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: fmt.Sprintf("203.%d.%d.1", i/200, i%200)}}
		set.Nodes = append(set.Nodes, objects.Sourced[*corev1.Node]{Object: o})
	}
	want, diags := lower.Lower(set, n.Name, w.settings, &objects.Config{})
	for i := range 2 {
		p, err := w.kernels[n.Name].Plan(&want)
		if err != nil || len(diags) > 0 {
			t.Fatal(err, diags)
		}
		if got := len(p.Steps()); i == 0 && got < 6000 || i == 1 && got > 0 {
			t.Errorf("apply %d: %d steps", i, got)
		}
		if err := p.Apply(); err != nil {
			t.Fatal(err)
		}
	}
	w.clean()
}
