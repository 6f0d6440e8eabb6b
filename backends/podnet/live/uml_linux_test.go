package live_test

import (
	"context"
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/uml"
	"github.com/planec/planec/ir/podnet"
)

var soak = flag.Bool("soak", false, "run all tests with Geneve, not a sample of them")

// TestMain also serves User Mode Linux: inside, this binary is the init process.
func TestMain(m *testing.M) { uml.Main(m) }

// modes are those that are tested here: Geneve inside User Mode Linux, whose kernel has it for
// certain, and all others on the machine.
func modes() []podnet.Mode {
	if uml.Inside() {
		return []podnet.Mode{auto()} // TestSwitchKinds has the other
	}
	return []podnet.Mode{podnet.Native, whole(), auto()}
}

// whole is the mode that encapsulates everything.
func whole() podnet.Mode {
	if uml.Inside() {
		return podnet.Geneve
	}
	return podnet.VXLAN
}

// auto is the mode that encapsulates what goes through a router.
func auto() podnet.Mode {
	if uml.Inside() {
		return podnet.AutoGeneve
	}
	return podnet.Auto
}

// otherDevice is a command that makes a device of another program, of the same kind.
func otherDevice() string {
	if uml.Inside() {
		return "ip link add other type geneve id 5 remote 192.0.2.2 dstport 6082"
	}
	return "ip link add other type vxlan id 5 dstport 4789 local 192.0.2.1"
}

// TestGeneve runs the tests of this package with Geneve.
func TestGeneve(t *testing.T) {
	if uml.Inside() {
		t.Skip("this is the inside")
	}
	uml.Require(t, "ip", "bridge")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	names := []string{"TestModes", "TestFiles", "TestAddressChange", "TestDrift", "TestKilled", "TestSwitchKinds"}
	if *soak {
		names = append(names, "TestNode", "TestForeign", "TestNeverWithout")
	}
	r, err := uml.Run(ctx, uml.Config{
		Modules: []string{"ipv6", "veth", "bridge", "vxlan", "geneve"},
		Args:    []string{"-test.run=^(" + strings.Join(names, "|") + ")$", "-test.v"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 {
		t.Fatalf("exit status %d:\n%s", r.Code, r.Output)
	}
	for _, name := range names {
		if !strings.Contains(r.Output, "--- PASS: "+name+" (") {
			t.Errorf("nothing says that %s ran:\n%s", name, r.Output)
		}
	}
	t.Logf("User Mode Linux ready in %v, tests took %v", r.Ready.Round(time.Millisecond), r.Took.Round(time.Millisecond))
}

// TestSwitchKinds goes from VXLAN to Geneve and back: nothing of the other kind stays.
func TestSwitchKinds(t *testing.T) {
	if !uml.Inside() {
		t.Skip("TestGeneve runs it")
	}
	w := newWorld(t, podnet.Settings{})
	w.Near(1)
	w.Near(2)
	w.few()
	for _, mode := range []podnet.Mode{podnet.VXLAN, podnet.Geneve, podnet.VXLAN, podnet.Native, podnet.Geneve} {
		w.settings.Mode = mode
		w.apply()
		out, err := w.Nodes[0].Run("ip", "-o", "link")
		if err != nil || strings.Contains(out, "planec-vx4") != (mode == podnet.VXLAN) || strings.Contains(out, "planec-gnv") != (mode == podnet.Geneve) {
			t.Errorf("%s: %s %v", mode, out, err)
		}
	}
	w.clean()
}
