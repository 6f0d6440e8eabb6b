package ebpf

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// TestDeterminism shuffles what has no order and wants the same bytes.
func TestDeterminism(t *testing.T) {
	for name, program := range map[string]func() *ir.Program{"everything": kitchenSink, "policies": policed} {
		t.Run(name, func(t *testing.T) { determined(t, program) })
	}
}

func determined(t *testing.T, program func() *ir.Program) {
	want := imageOf(t, program())
	for seed := range uint64(50) {
		p := program()
		shuffle(rand.New(rand.NewPCG(seed, 2)), p)
		got := imageOf(t, p)
		if !bytes.Equal(got.Bytes(), want.Bytes()) || !bytes.Equal(got.Text(), want.Text()) {
			t.Fatalf("seed %d: other bytes for an equal program", seed)
		}
	}
}

// TestAtInterfaces: the option is in the image and its text, and nothing else of it changes.
func TestAtInterfaces(t *testing.T) {
	o := backends.DefaultOptions()
	o.PoliciesAtInterfaces = true
	p := kitchenSink()
	img, err := New(o).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	without := imageOf(t, p)
	if !img.AtInterfaces() || without.AtInterfaces() || img.Digest() == without.Digest() {
		t.Error("the image does not say whether programs belong to interfaces")
	}
	if n := bytes.Count(img.Text(), []byte(" at-interfaces local=")); n != 1 {
		t.Errorf("the text says it %d times", n)
	}
	if got, want := img.LocalSources(), p.Node.Local.CIDRs; len(got) != len(want) {
		t.Errorf("the node's pods are in %v, want %v", got, want)
	}
	if again, err := Read(img.Bytes()); err != nil || !again.AtInterfaces() {
		t.Errorf("read again: %v, %v", again.AtInterfaces(), err)
	}
}

// TestRoundTrip reads what was written, and makes the same image from its entries
// in another order, as a kernel would return them.
func TestRoundTrip(t *testing.T) {
	for name, p := range goldens() {
		img := imageOf(t, p)
		got, err := Read(img.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(got.Bytes(), img.Bytes()) || !bytes.Equal(got.Text(), img.Text()) {
			t.Errorf("%s: another image comes back", name)
		}
		var entries [layout.NumMaps][]byte
		for i := range entries {
			entries[i] = backwards(img.Map(i))
		}
		again, err := NewImage(entries)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again.Digest() != img.Digest() {
			t.Errorf("%s: another digest for the same entries", name)
		}
	}
}

// backwards returns the entries of a hash in the opposite order.
func backwards(m *Map) []byte {
	if m.isArray() {
		return m.Entries()
	}
	var out []byte
	for i := m.Len() - 1; i >= 0; i-- {
		out = append(append(out, m.Key(i)...), m.Value(i)...)
	}
	return out
}

// TestCheck has nothing to say about what packets are left with: SCTP whose port changes
// has its route in the image, which no program of sockets asks for it.
func TestCheck(t *testing.T) {
	p := kitchenSink()
	if list := New(backends.DefaultOptions()).Check(p); len(list) > 0 {
		t.Errorf("%d findings: %v", len(list), list)
	}
	routes := 0
	for line := range strings.Lines(string(imageOf(t, p).Text())) {
		if strings.Contains(line, "shop/changed") && strings.Contains(line, "sctp") {
			routes++
			if strings.Contains(line, ",reject,-") {
				t.Errorf("it is refused: %s", line)
			}
		}
	}
	if routes != 2 {
		t.Errorf("%d frontends of SCTP whose port changes", routes)
	}
}

// TestMasqueradeAll says once that sockets are not masqueraded, however many Services there are.
func TestMasqueradeAll(t *testing.T) {
	p := kitchenSink()
	for i := range p.Frontends {
		p.Frontends[i].Internal.Masquerade = ir.MasqueradeAlways
	}
	list := New(backends.DefaultOptions()).Check(p)
	if len(list) != 1 || list[0].Code != diag.Approximated || !strings.Contains(list[0].Message, "masqueradeAll") {
		t.Errorf("%v", list)
	}
}

// TestIdentity: all frontends of a Service port have the same identity, and
// different Service ports have different ones.
func TestIdentity(t *testing.T) {
	seen := make(map[uint64]ir.ServicePort)
	ids := newIdentities(4, nil)
	for _, s := range []ir.ServicePort{
		{Namespace: "a", Name: "b", Port: "c", Protocol: ir.TCP},
		{Namespace: "a", Name: "b", Port: "c", Protocol: ir.UDP},
		{Namespace: "ab", Name: "", Port: "c", Protocol: ir.TCP},
		{Namespace: "a", Name: "bc", Protocol: ir.TCP},
	} {
		id := ids.of(&s)
		if other, dup := seen[id]; dup {
			t.Errorf("%v and %v are both %016x", s, other, id)
		}
		seen[id] = s
	}
	weak := newIdentities(2, func([]byte) (sum [32]byte) { return sum })
	if a, b := weak.of(&ir.ServicePort{Name: "a"}), weak.of(&ir.ServicePort{Name: "b"}); a == b {
		t.Errorf("two Service ports have the identity %x", a)
	}
}

// TestHostileText wants one line per entry and only printable ASCII, for any
// names.
func TestHostileText(t *testing.T) {
	for name, p := range goldens() {
		img := imageOf(t, p)
		lines := 1
		for _, m := range img.inFile() {
			lines += 2 + m.Len() // a blank line and the map's own
		}
		text := img.Text()
		if got := bytes.Count(text, []byte("\n")); got != lines {
			t.Errorf("%s: %d lines instead of %d", name, got, lines)
		}
		for _, c := range text {
			if c != '\n' && (c < ' ' || c > '~') {
				t.Fatalf("%s: byte %#x", name, c)
			}
		}
	}
	if got := string(appendName(nil, strings.Repeat("n", 100000))); len(got) > maxName+3 {
		t.Errorf("a name of %d bytes", len(got))
	}
}

// TestTextMovesLittle wants a new endpoint to change only its own lines, the
// counts and the digest.
func TestTextMovesLittle(t *testing.T) {
	p := kitchenSink()
	before := strings.Split(string(imageOf(t, p).Text()), "\n")
	p.Pools[0].Endpoints = append(p.Pools[0].Endpoints, poolOf("x", "10.1.0.9:8080").Endpoints...)
	p.Normalize()
	known := make(map[string]bool)
	for _, l := range before {
		known[l] = true
	}
	var changed []string
	for _, l := range strings.Split(string(imageOf(t, p).Text()), "\n") {
		if !known[l] {
			changed = append(changed, l)
		}
	}
	if len(changed) != 3 { // ep, its count, digest
		t.Errorf("%d lines changed:\n%s", len(changed), strings.Join(changed, "\n"))
	}
}

func TestEveryByteCounts(t *testing.T) {
	everyByteCounts(t, imageOf(t, kitchenSink()).Bytes())
	everyByteCounts(t, imageOf(t, policed()).Bytes())
	everyByteCounts(t, imageOf(t, dialects()).Bytes())
}

func everyByteCounts(t *testing.T, file []byte) {
	t.Helper()
	for i := range file {
		broken := bytes.Clone(file)
		broken[i] ^= 1 << (i % 8)
		if _, err := Read(broken); err == nil {
			t.Fatalf("byte %d can be changed", i)
		}
		if _, err := Read(file[:i]); err == nil {
			t.Fatalf("%d bytes of %d are an image", i, len(file))
		}
	}
	if _, err := Read(append(bytes.Clone(file), 0)); !errors.Is(err, ErrDigest) {
		t.Errorf("one byte more: %v", err)
	}
	if _, err := Read([]byte("table ip planec")); !errors.Is(err, ErrNotImage) {
		t.Errorf("another file: %v", err)
	}
}

// TestAliasTable draws every slot and every threshold once and counts.
func TestAliasTable(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		endpoints := make([]ir.Endpoint, 1+rng.IntN(12))
		total := uint32(0)
		for i := range endpoints {
			endpoints[i].Weight = uint16(1 + rng.IntN(1+rng.IntN(40)))
			total += uint32(endpoints[i].Weight)
		}
		drawn := make([]int, len(endpoints))
		for i, s := range aliasTable(endpoints, total, nil) {
			for r := range total {
				if r < s.threshold {
					drawn[i]++
				} else {
					drawn[s.alias]++
				}
			}
		}
		for i, e := range endpoints {
			if drawn[i] != int(e.Weight)*len(endpoints) {
				t.Fatalf("weights %v: endpoint %d is drawn %d times", endpoints, i, drawn[i])
			}
		}
	}
}

// TestArtifact: the artifact has the bytes of nftables beside the image, and a Service
// that only one of them can express is refused in both.
func TestArtifact(t *testing.T) {
	p := kitchenSink()
	for i := range p.Pools {
		if p.Pools[i].ID == "shop/weighted" {
			for j := range p.Pools[i].Endpoints {
				p.Pools[i].Endpoints[j].Weight = uint16(65535 - j)
			}
		}
	}
	a, err := New(backends.DefaultOptions()).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	packets, err := nftables.New(backends.DefaultOptions()).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.File(PacketsFile), packets.File(nftables.FileName)) {
		t.Error("the rules for packets are not those of nftables")
	}
	if refused := nftables.Refused(p); len(refused) == 0 {
		t.Fatal("nftables has room for the weights")
	}
	img, err := Read(a.File(ImageFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range img.Served().Frontends {
		if strings.Contains(f.Name, "shop/calls") && len(f.Endpoints) > 0 {
			t.Errorf("sockets are sent to endpoints that packets do not reach: %+v", f)
		}
	}
	if n := len(New(backends.DefaultOptions()).Check(p)); n == 0 {
		t.Errorf("%d findings: those of nftables are missing", n)
	}
}

// TestFragment: a fragment is an artifact without the file that only people read.
func TestFragment(t *testing.T) {
	b := New(backends.DefaultOptions())
	for name, p := range map[string]*ir.Program{"everything": kitchenSink(), "policies": policed(), "empty": {}} {
		whole, err := b.Emit(p)
		if err != nil {
			t.Fatal(name, err)
		}
		fragment, err := b.Fragment(p)
		if err != nil {
			t.Fatal(name, err)
		}
		if len(fragment.Files) != len(whole.Files)-1 || fragment.File(TextFile) != nil {
			t.Errorf("%s: %d files of %d", name, len(fragment.Files), len(whole.Files))
		}
		for _, f := range fragment.Files {
			if !bytes.Equal(f.Data, whole.File(f.Name)) {
				t.Errorf("%s: another %s", name, f.Name)
			}
		}
	}
}
