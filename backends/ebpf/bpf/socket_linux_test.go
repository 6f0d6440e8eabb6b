package bpf_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"

	"github.com/planec/planec/backends/ebpf/bpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/internal/testing/guest"
	"github.com/planec/planec/internal/testing/testkit"
)

// TestVerifier loads every program with every value of its switches, and wants the
// numbers of docs/ebpf.md to be at least what the verifier of this kernel walked.
func TestVerifier(t *testing.T) {
	testkit.BPFFS(t)
	document, err := os.ReadFile("../../../docs/ebpf.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]func() (*ebpf.CollectionSpec, error){"socket": bpf.LoadSocket, "policy": bpf.LoadPolicy, "torn": bpf.LoadTorn, "image": bpf.LoadImage, "ended": bpf.LoadEnded} {
		for _, retval := range []bool{true, false} {
			spec, err := of()
			if err != nil {
				t.Fatal(err)
			}
			if v := spec.Variables["have_retval"]; v != nil {
				if err := v.Set(retval); err != nil {
					t.Fatal(err)
				}
			}
			if !destroysSockets(t) {
				delete(spec.Programs, "abort_ended")
			}
			walked(t, name, spec, string(document))
		}
	}
}

// destroysSockets reports whether the kernel has bpf_sock_destroy: from 6.5 on.
func destroysSockets(t *testing.T) bool {
	t.Helper()
	version, err := features.LinuxVersionCode()
	if err != nil {
		t.Fatal(err)
	}
	return version >= 6<<16|5<<8
}

func walked(t *testing.T, object string, spec *ebpf.CollectionSpec, document string) {
	t.Helper()
	c, err := ebpf.NewCollection(spec)
	if v := (*ebpf.VerifierError)(nil); errors.As(err, &v) {
		t.Fatalf("%s: %+v", object, v)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, p := range c.Programs {
		info, err := p.Info()
		if err != nil {
			t.Fatal(err)
		}
		n, ok := info.VerifiedInstructions()
		row := fmt.Sprintf("| %s.c | %s | ", object, name)
		i := strings.Index(document, row)
		if i < 0 {
			t.Errorf("docs/ebpf.md has no row %q: the verifier walks %d instructions", row, n)
			continue
		}
		var least, most uint32
		if guest.Inside() != "" {
			ok = false // another verifier walks other paths: the document is about the newest
		}
		if _, err := fmt.Sscanf(document[i+len(row):], "%d to %d", &least, &most); err != nil || ok && (n < least || n > most) {
			t.Errorf("docs/ebpf.md says %d to %d of %s, the verifier walks %d (%v)", least, most, name, n, err)
		}
	}
	if names := spec.Programs; !slices.ContainsFunc([]string{"ask", "read_two", "read_image", "from_pod", "connected"}, func(n string) bool { return names[n] != nil }) {
		t.Errorf("%s.c has nothing that a test can run", object)
	}
}

// TestABI wants the version of the maps to be the same in the objects, in the package that
// loads them and in the layout.
func TestABI(t *testing.T) {
	for name, of := range map[string]func() (*ebpf.CollectionSpec, error){"socket": bpf.LoadSocket, "policy": bpf.LoadPolicy} {
		spec, err := of()
		if err != nil {
			t.Fatal(err)
		}
		var abi uint32
		if err := spec.Variables["abi"].Get(&abi); err != nil || abi != bpf.ABI || bpf.ABI != layout.ABI {
			t.Errorf("%s: %d in the object, %d of package bpf, %d of the layout: %v", name, abi, bpf.ABI, layout.ABI, err)
		}
	}
}
