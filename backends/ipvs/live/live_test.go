package live

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// artifacts are the golden cases' files.
func artifacts(t testing.TB, dir string) map[string]backends.Artifact {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(dir, "*/ipvs"))
	if err != nil || len(dirs) < 45 {
		t.Fatalf("%d golden cases in %s: %v", len(dirs), dir, err)
	}
	out := make(map[string]backends.Artifact)
	for _, d := range dirs {
		var a backends.Artifact
		files, err := os.ReadDir(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(d, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			a.Files = append(a.Files, backends.File{Name: f.Name(), Data: data})
		}
		out[filepath.Base(filepath.Dir(d))] = a
	}
	return out
}

const goldenDir = "../../../golden/cases"

// TestParseGoldens wants every service of every case to be planec's according to the
// sets, and every sysctl to be compared.
func TestParseGoldens(t *testing.T) {
	for name, a := range artifacts(t, goldenDir) {
		s, err := Parse(a)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ours := owned(s.rules)
		for k := range s.services {
			if !ours[k] {
				t.Errorf("%s: %v is in no set", name, k)
			}
		}
		if len(ours) != len(s.services) {
			t.Errorf("%s: %d are ours, %d services", name, len(ours), len(s.services))
		}
		destinations := 0
		for _, v := range s.services {
			destinations += len(v.destinations)
		}
		for what, n := range map[string][2]int{
			"services":     {strings.Count(string(a.File(ipvs.ServicesFile)), "-A "), len(s.services)},
			"destinations": {strings.Count(string(a.File(ipvs.ServicesFile)), "-a "), destinations},
			"addresses":    {strings.Count(string(a.File(ipvs.AddressesFile)), "address add"), len(s.device.addresses)},
		} {
			if n[0] != n[1] {
				t.Errorf("%s: %d %s, want %d", name, n[1], what, n[0])
			}
		}
		if got, want := slices.Sorted(maps.Keys(s.sysctls)), slices.Sorted(slices.Values(sysctlNames)); !slices.Equal(got, want) {
			t.Errorf("%s: sysctls %v, looked at are %v", name, got, want)
		}
		if !s.device.there || !s.device.up || !OwnRules(s.rules) {
			t.Errorf("%s: %+v", name, s.device)
		}
		if p := NewPlan(s, s); !p.Empty() {
			t.Errorf("%s: it differs from itself: %q", name, p.Steps())
		}
		if steps := len(NewPlan(nothing(), s).Steps()); steps < len(s.services) {
			t.Errorf("%s: %d steps", name, steps)
		}
	}
}

func TestParseErrors(t *testing.T) {
	files := map[string]string{
		ipvs.ServicesFile:  "-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1\n",
		ipvs.AddressesFile: "link add planec-ipvs0 type dummy\nlink set planec-ipvs0 up\naddress flush dev planec-ipvs0\naddress add 10.0.0.1/32 dev planec-ipvs0\n",
		ipvs.SysctlFile:    "# a remark\nnet.ipv4.ip_forward = 1\n",
		ipvs.SetsFile:      "",
	}
	for _, name := range []string{ipvs.RulesFile, ipvs.RulesFile6, ipvs.JumpsFile, ipvs.JumpsFile6} {
		files[name] = "*filter\nCOMMIT\n"
	}
	artifact := func(change, text string) (a backends.Artifact) {
		for name, data := range files {
			if name == change {
				data = text
			}
			a.Files = append(a.Files, backends.File{Name: name, Data: []byte(data)})
		}
		return a
	}
	if _, err := Parse(artifact("", "")); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][2]string{
		{ipvs.ServicesFile, "-A -t 10.0.0.1:80\n"},
		{ipvs.ServicesFile, "-A -t 10.0.0.1:80 -s rr -p 0\n"},
		{ipvs.ServicesFile, "-A -t 10.0.0.1:80 -s rr --pe sip\n"},
		{ipvs.ServicesFile, "-A -t 10.0.0.1 -s rr\n"},
		{ipvs.ServicesFile, "-A -f 0 -s rr\n"},
		{ipvs.ServicesFile, "-C\n"},
		{ipvs.ServicesFile, "-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1\n"},
		{ipvs.ServicesFile, "-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 1\n"},
		{ipvs.ServicesFile, "-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 65536\n"},
		{ipvs.AddressesFile, "link add eth0 type dummy\n"},
		{ipvs.AddressesFile, "address add 10.0.0.1/24 dev planec-ipvs0\n"},
		{ipvs.AddressesFile, "address add 10.0.0.1/32 dev eth0\n"},
		{ipvs.SysctlFile, "net.ipv4.ip_forward\n"},
		{ipvs.SetsFile, "add plc-x 10.0.0.1\n"},
	} {
		if _, err := Parse(artifact(bad[0], bad[1])); err == nil {
			t.Errorf("%s: %q is taken", bad[0], bad[1])
		}
	}
	if _, err := Parse(backends.Artifact{}); err == nil {
		t.Error("an artifact without files is taken")
	}
}

func TestReadProc(t *testing.T) {
	got, err := readProc(strings.NewReader(`IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A600001:0050 wrr ops persistent 1080000 FFFFFFFF
  -> 0A010002:1F90      Masq    2      3          4         
  -> 0A010102:1F90      Tunnel  0      0          0         
TCP  [fd00:0096:0000:0000:0000:0000:0000:0001]:0050 rr 
  -> [fd00:0010:0001:0000:0000:0000:0000:0002]:1F90      Masq    1      0          0         
FWM  000022E7 rr 
  -> [fd00:0010:0001:0000:0000:0000:0000:0002]:1F90      Masq    1      0          0         
FWM  000022E7 rr 
  -> 0A010002:1F90      Masq    1      0          0         
UDP  0A600001:0035 rr 
`))
	if err != nil {
		t.Fatal(err)
	}
	four, six := netip.MustParseAddrPort("10.1.0.2:8080"), netip.MustParseAddrPort("[fd00:10:1::2]:8080")
	want := map[Key]map[netip.AddrPort]destination{
		{Protocol: ir.TCP, Address: netip.MustParseAddrPort("10.96.0.1:80")}: {
			four: {weight: 2, active: 3, inactive: 4}, netip.MustParseAddrPort("10.1.1.2:8080"): {forward: 2},
		},
		{Protocol: ir.TCP, Address: netip.MustParseAddrPort("[fd00:96::1]:80"), IPv6: true}: {six: {weight: 1}},
		{Mark: 0x22e7}:             {four: {weight: 1}},
		{Mark: 0x22e7, IPv6: true}: {six: {weight: 1}},
		{Protocol: ir.UDP, Address: netip.MustParseAddrPort("10.96.0.1:53")}: {},
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(destination{}), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmp.Comparer(func(a, b Key) bool { return a == b })); d != "" {
		t.Error(d)
	}
}

// parse is the state of lines for ipvsadm and ipset.
func parse(t *testing.T, services, sets string) *State {
	t.Helper()
	s, err := Parse(backends.Artifact{Files: []backends.File{
		{Name: ipvs.ServicesFile, Data: []byte(services)},
		{Name: ipvs.SetsFile, Data: []byte(sets)},
		{Name: ipvs.AddressesFile, Data: []byte("link add planec-ipvs0 type dummy\n")},
		{Name: ipvs.SysctlFile, Data: []byte("#\n")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPlanOrder wants the documented order from a plan with all kinds of steps.
func TestPlanOrder(t *testing.T) {
	have := parse(t, `-A -t 10.0.0.1:80 -s rr
-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 1
-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 1
-a -t 10.0.0.1:80 -r 10.1.0.9:80 -m -w 0
-A -u 10.0.0.1:53 -s rr
-a -u 10.0.0.1:53 -r 10.1.0.1:53 -m -w 1
-A -t 10.0.0.2:80 -s rr
-A -t 192.0.2.99:80 -s rr
-A -f 77 -s rr
-A -f 8193 -s rr
`, `create plc-4-services hash:ip,port family inet
add plc-4-services 10.0.0.1,tcp:80
add plc-4-services 10.0.0.1,udp:53
add plc-4-services 10.0.0.2,tcp:80 comment "gone"
create plc-4-routes-node hash:ip,port family inet skbinfo
add plc-4-routes-node 10.0.0.2,tcp:80 skbmark 0x2001
`)
	have.services[Key{Protocol: ir.TCP, Address: netip.MustParseAddrPort("10.0.0.1:80")}].destinations[netip.MustParseAddrPort("10.1.0.2:80")] = destination{weight: 1, active: 2}
	have.services[Key{Protocol: ir.TCP, Address: netip.MustParseAddrPort("10.0.0.1:80")}].destinations[netip.MustParseAddrPort("10.1.0.9:80")] = destination{inactive: 1}
	have.device.addresses[netip.MustParseAddr("10.0.0.2")] = false
	want := parse(t, `-A -t 10.0.0.1:80 -s wrr -p 60
-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 2
-a -t 10.0.0.1:80 -r 10.1.0.3:80 -m -w 1
-A -u 10.0.0.1:53 -s rr
-a -u 10.0.0.1:53 -r 10.1.0.2:53 -m -w 1
-A -t 10.0.0.3:80 -s rr
-a -t 10.0.0.3:80 -r 10.1.0.1:80 -m -w 1
-A -f 8194 -s rr
`, `create plc-4-services hash:ip,port family inet
add plc-4-services 10.0.0.1,tcp:80
add plc-4-services 10.0.0.1,udp:53
add plc-4-services 10.0.0.3,tcp:80
`)
	want.device.addresses[netip.MustParseAddr("10.0.0.3")] = false
	want.sysctls = map[string]string{"net.ipv4.vs.conntrack": "1"}
	got := strings.Join(NewPlan(have, want).Steps(), "\n")
	if d := cmp.Diff(`sysctl: net.ipv4.vs.conntrack = 1 (was missing)
ipvs: add service mark 0x2002 of IPv4 (rr; 0 destinations)
ipset: change set plc-4-services: 1 member to add, 1 to remove of gone
ipvs: add destination 10.1.0.3:80 to tcp 10.0.0.1:80 (weight 1)
ipvs: change destination 10.1.0.1:80 of tcp 10.0.0.1:80 (weight 2, was 1)
ipvs: change service tcp 10.0.0.1:80 (wrr, persistent for 60 s)
ipvs: add service tcp 10.0.0.3:80 (rr; 1 destination)
ipvs: add destination 10.1.0.2:53 to udp 10.0.0.1:53 (weight 1)
add address 10.0.0.3
ipvs: drain destination 10.1.0.2:80 of tcp 10.0.0.1:80 (weight 0, was 1; 2 connections)
ipvs: remove destination 10.1.0.1:53 of udp 10.0.0.1:53
remove address 10.0.0.2
ipvs: remove service tcp 10.0.0.2:80 of gone
ipvs: remove service mark 0x2001 of IPv4 of gone
ipset: remove set plc-4-routes-node`, got); d != "" {
		t.Error(d)
	}
}

// TestPassedOn: the mark of a removed Service is given to another one, whose
// packets must find their own destinations.
func TestPassedOn(t *testing.T) {
	set := func(lines ...string) string {
		out := "create plc-4-routes-node hash:ip,port family inet skbinfo\n"
		for _, l := range lines {
			out += "add plc-4-routes-node " + l + "\n"
		}
		return out
	}
	a := parse(t, "-A -f 8193 -s rr\n-A -f 8194 -s rr\n", set("10.0.0.1,tcp:80 skbmark 0x2001", "10.0.0.2,tcp:80 skbmark 0x2002"))
	back := parse(t, "-A -f 8193 -s rr\n-a -f 8193 -r 10.1.0.1:80 -m -w 1\n", set("10.0.0.2,tcp:80 skbmark 0x2001"))
	if p := NewPlan(a, back); len(p.early) != 1 || len(p.gone) != 1 {
		t.Errorf("early %v, gone %v", p.early, p.gone)
	}
	if p := NewPlan(back, a); len(p.leave) != 1 || len(p.early) != 1 || p.early[0].verb != addService {
		t.Errorf("early %v, leave %v: the mark is still someone's", p.early, p.leave)
	}
}

func TestJournal(t *testing.T) {
	keys := []Key{
		{Protocol: ir.TCP, Address: netip.MustParseAddrPort("10.0.0.1:80")},
		{Protocol: ir.SCTP, Address: netip.MustParseAddrPort("[fd00::1]:80"), IPv6: true},
		{Mark: 0x80002001},
		{Mark: 7, IPv6: true},
	}
	s := parse(t, "", string(writeJournal(keys)))
	got := slices.SortedFunc(maps.Keys(readJournal(s.rules)), compareKeys)
	if want := slices.SortedFunc(slices.Values(keys), compareKeys); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !hasJournal(s.rules) || hasJournal(parse(t, "", string(writeJournal(keys))+string(closeJournal())).rules) {
		t.Error("the journal is not seen, or not removed")
	}
}

// many is a program of n Services with five endpoints each.
func many(n int) *ir.Program { return irtest.ManyServices(n) }

func emit(t testing.TB, p *ir.Program) backends.Artifact {
	t.Helper()
	a, err := ipvs.New(backends.DefaultOptions()).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, err := Parse(emit(b, many(n)))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if !NewPlan(s, s).Empty() {
					b.Fatal("it differs")
				}
			}
		})
	}
}
