package irtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/ir"
)

// Goldens returns the programs whose rules text backends keep as goldens. hostile
// is the part of a Service's name that tries to break out of the backend's
// language.
func Goldens(hostile string) map[string]*ir.Program {
	byInterface := KitchenSink()
	byInterface.Node.Local = ir.LocalDetector{Mode: ir.DetectInterfacePrefix, Interface: "veth"}
	small := &ir.Program{
		Node:       ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}},
		ClusterIPs: Addrs("10.96.0.1"),
		Pools:      []ir.Pool{Pool("cart", "10.1.0.2:8080", "10.1.1.2:8080")},
		Frontends:  []ir.Frontend{Frontend(ir.ClusterIP, "cart", "10.96.0.1:80", "cart")},
	}
	small.Frontends[0].Internal.Masquerade = ir.MasqueradeNever
	small.Frontends[0].External.Masquerade = ir.MasqueradeNever
	names := KitchenSink()
	for i := range names.Frontends {
		names.Frontends[i].Service.Name = hostile + strings.Repeat("n", 253)
		names.Frontends[i].Service.Port = "{\u2028"
	}
	return map[string]*ir.Program{
		"hostile-names":  names,
		"empty":          {Node: ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectNone}}},
		"small":          small,
		"everything":     KitchenSink(),
		"veth-detection": byInterface,
	}
}

// CompareGolden compares text with a file in testdata, or writes the file if update is set.
func CompareGolden(t *testing.T, file, got string, update bool) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-golden +now):\n%s\nif that is meant: go test . -run '%s' -update, in this package", path, d, t.Name())
	}
}
