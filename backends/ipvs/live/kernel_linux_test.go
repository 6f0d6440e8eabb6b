package live

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
)

// shell runs a line in the rig's node.
func shell(t *testing.T, r *testkit.Rig, stdin, line string) string {
	t.Helper()
	words := strings.Fields(line)
	out, err := r.Run(stdin, words[0], words[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sortedLines(text string) []string {
	return slices.Sorted(strings.Lines(text))
}

// Foreign virtual services, sets and rules.
const (
	foreignServices = "-A -t 192.0.2.50:80 -s rr -p 77\n-a -t 192.0.2.50:80 -r 192.0.2.51:80 -m -w 3\n-A -f 77 -s lc\n-a -f 77 -r 192.0.2.51:0 -g -w 1\n-A -u [2001:db8:50::1]:53 -s sh\n"
	foreignRules    = "*filter\n:OTHER - [0:0]\n-A FORWARD -j OTHER\n-A OTHER -m mark --mark 0x1/0x1 -j DROP\nCOMMIT\n"
	foreignSets     = "create other hash:ip,port family inet\nadd other 192.0.2.50,tcp:80\n"
)

// foreign adds them and returns a function that lists their changes.
func foreign(t *testing.T, r *testkit.Rig) (check func()) {
	t.Helper()
	shell(t, r, foreignServices, "ipvsadm -R")
	shell(t, r, foreignRules, "iptables-legacy-restore --noflush")
	shell(t, r, foreignSets, "ipset restore")
	shell(t, r, "", "ip link add other0 type dummy")
	shell(t, r, "", "ip address add 192.0.2.60/32 dev other0")
	return func() {
		t.Helper()
		services := shell(t, r, "", "ipvsadm -Sn")
		for l := range strings.Lines(foreignServices) {
			if !strings.Contains(services, l) {
				t.Errorf("of others: %q is missing in\n%s", l, services)
			}
		}
		rules := shell(t, r, "", "iptables-legacy-save -t filter")
		if !strings.Contains(rules, "-A FORWARD -j OTHER\n") || !strings.Contains(rules, "-A OTHER -m mark --mark 0x1/0x1 -j DROP\n") {
			t.Errorf("rules of others:\n%s", rules)
		}
		if sets := shell(t, r, "", "ipset save other"); !strings.Contains(sets, "add other 192.0.2.50,tcp:80") {
			t.Errorf("sets of others:\n%s", sets)
		}
		if a := shell(t, r, "", "ip address show dev other0"); !strings.Contains(a, "192.0.2.60/32") {
			t.Errorf("addresses of others:\n%s", a)
		}
	}
}

// ownAddresses returns the addresses of planec's device that ip lists.
func ownAddresses(t *testing.T, r *testkit.Rig) []netip.Addr {
	t.Helper()
	var out []netip.Addr
	for l := range strings.Lines(shell(t, r, "", "ip -o address show dev "+deviceName)) {
		w := strings.Fields(l)
		p := netip.MustParsePrefix(w[3])
		if !p.Addr().IsLinkLocalUnicast() {
			out = append(out, p.Addr())
			if p.Addr().Is6() != strings.Contains(l, "deprecated") {
				t.Errorf("%q: deprecated, or not", l)
			}
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

// TestKernelGoldens applies the golden cases one after the other and finally
// nothing, beside foreign objects, and compares with the tools' result.
func TestKernelGoldens(t *testing.T) {
	inside(t)
	r, fresh := testkit.New(t, testkit.Spec{}), testkit.New(t, testkit.Spec{})
	check := foreign(t, r)
	all := artifacts(t, *cases)
	var steps int
	for i, name := range slices.Sorted(maps.Keys(all)) {
		if i%*every != 0 {
			delete(all, name)
			continue
		}
		a := all[name]
		err := r.Do(func() error {
			s, err := apply(t.Context(), a)
			steps += len(s)
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		shell(t, fresh, "", "ipvsadm -C")
		shell(t, fresh, string(a.File(ipvs.ServicesFile)), "ipvsadm -R")
		want := sortedLines(shell(t, fresh, "", "ipvsadm -Sn") + foreignServices)
		if got := sortedLines(shell(t, r, "", "ipvsadm -Sn")); !slices.Equal(got, want) {
			t.Errorf("%s: listed\n%q\nwant\n%q", name, got, want)
		}
		parsed, err := Parse(a)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := ownAddresses(t, r), slices.SortedFunc(maps.Keys(parsed.device.addresses), netip.Addr.Compare); !slices.Equal(got, want) {
			t.Errorf("%s: addresses %v, want %v", name, got, want)
		}
		if sets := shell(t, r, "", "ipset list -n"); strings.Contains(sets, "plc-tmp-") {
			t.Errorf("%s: left behind: %s", name, sets)
		}
		check()
	}
	var cleaned []string
	if err := r.Do(func() (err error) { cleaned, err = kernel().Clean(t.Context()); return err }); err != nil {
		t.Fatal(err)
	}
	check()
	wantClean(t, r)
	tell(t, map[string]int{"cases": len(all), "steps": steps, "cleaned": len(cleaned)})
}

// wantClean wants nothing but foreign objects.
func wantClean(t *testing.T, r *testkit.Rig) {
	t.Helper()
	if got := sortedLines(shell(t, r, "", "ipvsadm -Sn")); !slices.Equal(got, sortedLines(foreignServices)) {
		t.Errorf("after cleaning: %q", got)
	}
	if got := shell(t, r, "", "ip -o link"); strings.Contains(got, deviceName) {
		t.Errorf("after cleaning:\n%s", got)
	}
	if got := shell(t, r, "", "ipset list -n"); got != "other\n" {
		t.Errorf("sets after cleaning: %q", got)
	}
	for _, family := range []string{"iptables", "ip6tables"} {
		if got := shell(t, r, "", family+"-legacy-save"); strings.Contains(got, "PLC-") {
			t.Errorf("rules after cleaning:\n%s", got)
		}
	}
}

// TestKernelRepairs damages the kernel's state in every way, and wants the damage
// to be found and repaired.
func TestKernelRepairs(t *testing.T) {
	inside(t)
	r := testkit.New(t, testkit.Spec{NodeAddrs: irtest.KitchenSink().Node.Addresses})
	check := foreign(t, r)
	a := emit(t, irtest.KitchenSink())
	once := func() (steps []string) {
		t.Helper()
		if err := r.Do(func() (err error) { steps, err = apply(t.Context(), a); return err }); err != nil {
			t.Fatal(err)
		}
		return steps
	}
	if len(once()) == 0 || len(once()) != 0 {
		t.Fatal("the second apply is not empty, or the first was")
	}
	before := sortedLines(shell(t, r, "", "ipvsadm -Sn"))
	mark := ""
	for l := range strings.Lines(string(a.File(ipvs.ServicesFile))) {
		if strings.HasPrefix(l, "-A -f") {
			mark = strings.Fields(l)[2]
		}
	}
	damages := []struct{ line, want string }{
		{"ipvsadm -D -t 10.96.0.1:80", "add service tcp 10.96.0.1:80"},
		{"ipvsadm -D -t [fd00:96::1]:80", "add service tcp [fd00:96::1]:80"},
		{"ipvsadm -D -f " + mark, "add service mark"},
		{"ipvsadm -d -t 10.96.0.1:80 -r 10.1.1.2:8080", "add destination 10.1.1.2:8080"},
		{"ipvsadm -e -t 10.96.0.1:80 -r 10.1.1.2:8080 -m -w 7", "weight 1, was 7"},
		{"ipvsadm -a -t 10.96.0.1:80 -r 10.1.1.78:80 -g", "remove destination 10.1.1.78:80"},
		{"ipvsadm -a -t 10.96.0.1:80 -r 10.1.1.77:8080 -m", "remove destination 10.1.1.77:8080"},
		{"ipvsadm -E -t 10.96.0.1:80 -s lc", "change service tcp 10.96.0.1:80 (rr)"},
		{"ipvsadm -E -t 10.96.0.1:80 -s rr -p 60", "change service tcp 10.96.0.1:80 (rr)"},
		{"ipvsadm -E -t 10.96.0.1:80 -s rr -b flag-1", "change service tcp 10.96.0.1:80 (rr)"},
		{"ipvsadm -E -t 10.96.0.1:90 -s rr -p 10800 -M 255.255.0.0", "persistent for 10800 s"},
		{"ip address del 10.96.0.1/32 dev " + deviceName, "add address 10.96.0.1"},
		{"ip address add 10.96.0.77/32 dev " + deviceName, "remove address 10.96.0.77"},
		{"ip address change fd00:96::1/128 dev " + deviceName + " preferred_lft forever valid_lft forever", "change address fd00:96::1"},
		{"ip link set down dev " + deviceName, "set device " + deviceName + " up"},
		{"ip link del " + deviceName, "add device " + deviceName},
		{"iptables-legacy -t filter -D PLC-VIPS 1", "replace chain PLC-VIPS"},
		{"iptables-legacy -t filter -D FORWARD -j PLC-FORWARD", "add the jump FORWARD"},
		{"ipset del plc-4-vips 10.96.0.1", "plc-4-vips"},
		{"ipset add plc-4-services 10.96.0.77,tcp:80", "plc-4-services"},
		{"sysctl -q -w net.ipv4.vs.conntrack=0", "sysctl: net.ipv4.vs.conntrack = 1 (was 0)"},
	}
	for _, d := range damages {
		shell(t, r, "", d.line)
		if steps := strings.Join(once(), "\n"); !strings.Contains(steps, d.want) {
			t.Errorf("%s: the steps are\n%s", d.line, steps)
		}
		if got := sortedLines(shell(t, r, "", "ipvsadm -Sn")); !slices.Equal(got, before) {
			t.Errorf("%s: listed %q", d.line, got)
		}
	}
	check()
	// A foreign service counts as planec's if its key is in planec's sets.
	shell(t, r, "", "ipset add plc-4-services 192.0.2.80,tcp:80")
	shell(t, r, "", "ipvsadm -A -t 192.0.2.80:80 -s rr")
	if steps := strings.Join(once(), "\n"); !strings.Contains(steps, "remove service tcp 192.0.2.80:80") {
		t.Errorf("a service of our sets stays:\n%s", steps)
	}
	tell(t, map[string]int{"damages": len(damages) + 1})
}

// TestKernelErrors wants errors that name the cause, and the old state.
func TestKernelErrors(t *testing.T) {
	inside(t)
	r := testkit.New(t, testkit.Spec{})
	a := emit(t, irtest.ManyServices(3))
	one := func(want error, words string, a backends.Artifact) {
		t.Helper()
		err := r.Do(func() error { _, err := apply(t.Context(), a); return err })
		if !errors.Is(err, want) || !strings.Contains(fmt.Sprint(err), words) {
			t.Errorf("got %v, want %v with %q", err, want, words)
		}
	}
	services := string(a.File(ipvs.ServicesFile))
	one(ErrNoScheduler, "ip_vs_nosuch", with(a, ipvs.ServicesFile, strings.Replace(services, "-s rr", "-s nosuch", 1)))
	one(ErrNoSysctl, "ip_vs", with(a, ipvs.SysctlFile, "net.ipv4.vs.nosuch = 1\n"))
	shell(t, r, "", "ip link del "+deviceName)
	shell(t, r, "", "ip link add "+deviceName+" type bridge")
	one(ErrForeign, "bridge", a)
	shell(t, r, "", "ip link del "+deviceName)
	one(nil, "", a)
	w := newWorker(t, r)
	if err := w.do(func() error {
		_, err := withoutCapabilities(func() (*Plan, error) { return plan(t.Context(), a) })
		return err
	}); !errors.Is(err, ErrPrivileges) {
		t.Errorf("without capabilities: %v", err)
	}
	tell(t, map[string]int{"errors": 4})
}

// with is the artifact with another file.
func with(a backends.Artifact, name, text string) backends.Artifact {
	out := backends.Artifact{Files: slices.Clone(a.Files)}
	for i := range out.Files {
		if out.Files[i].Name == name {
			out.Files[i].Data = []byte(text)
		}
	}
	return out
}

// withoutCapabilities drops those of the calling thread, which must end then.
func withoutCapabilities[T any](f func() (T, error)) (T, error) {
	runtime.LockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{}
	if err := unix.Capset(&header, &data[0]); err != nil {
		var none T
		return none, err
	}
	return f()
}

// TestNoIPVS is for the machine's own kernel, where it has no IPVS.
func TestNoIPVS(t *testing.T) {
	testkit.Require(t, "iptables-legacy-restore", "ipset")
	r := testkit.New(t, testkit.Spec{})
	err := r.Do(func() error { return wantIPVS(t.Context()) })
	if err == nil {
		t.Skip("this kernel has IPVS")
	}
	if !errors.Is(err, ErrNoIPVS) || !strings.Contains(err.Error(), "ip_vs") {
		t.Errorf("got %v", err)
	}
	t.Log(err)
	if err := r.Do(func() error { _, err := kernel().Clean(t.Context()); return err }); err != nil {
		t.Errorf("cleaning a kernel without IPVS: %v", err)
	}
}
