package ebpf_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	interp "github.com/planec/planec/internal/interp/ebpf"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// FuzzRead gives the reader input that it must reject, or must be able to print,
// write again and interpret. With seal, the digests are corrected first, because
// an attacker can compute digests too.
func FuzzRead(f *testing.F) {
	small := smallProgram()
	flows := testkit.RandomFlows(rand.New(rand.NewPCG(1, 2)), small, 20)
	for _, p := range []*ir.Program{small, smallPolicies(), smallDialects(), {Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectNone}}}} {
		for _, names := range []bool{false, true} {
			a, err := ebpf.New(backends.Options{NoComments: !names}).Emit(p)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(a.Files[0].Data, true)
			f.Add(a.Files[0].Data, false)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte, seal bool) {
		if seal {
			file = sealed(file)
		}
		readHostile(t, file, flows)
	})
}

// readHostile uses every image that the reader accepts, and reports whether it accepted one.
func readHostile(t *testing.T, file []byte, flows []testkit.Flow) bool {
	img, err := ebpf.Read(file)
	if err != nil {
		return false
	}
	if !bytes.Equal(img.Bytes(), file) {
		t.Error("another file is written than was read")
	}
	img.Text()
	n := interp.New(img)
	for _, flow := range flows {
		n.Eval(eval.Packet{Src: flow.Src, Dst: flow.Dst, Protocol: flow.Protocol, Port: flow.Port, From: flow.From})
	}
	return true
}

// TestHostileFiles changes random bytes of an image and corrects its digests, in
// every test run and not only when fuzzing.
func TestHostileFiles(t *testing.T) {
	hostileFiles(t, smallProgram())
	hostileFiles(t, smallPolicies())
	hostileFiles(t, smallDialects())
}

func hostileFiles(t *testing.T, p *ir.Program) {
	t.Helper()
	flows := testkit.RandomFlows(rand.New(rand.NewPCG(1, 2)), p, 5)
	a, err := ebpf.New(backends.DefaultOptions()).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	const files = 50000
	taken := 0
	for range files {
		file := bytes.Clone(a.Files[0].Data)
		for range 1 + rng.IntN(3) {
			at := rng.IntN(len(file))
			switch rng.IntN(4) {
			case 0:
				file[at] ^= 1 << rng.IntN(8)
			case 1:
				file[at] = byte(rng.Uint32())
			case 2:
				copy(file[at:], []byte{0xff, 0xff, 0xff, 0xff}[:1+rng.IntN(4)])
			case 3:
				file = append(file[:at], file[min(len(file), at+rng.IntN(64)):]...)
			}
			if len(file) == 0 {
				break
			}
		}
		if readHostile(t, sealed(file), flows) {
			taken++
		}
	}
	t.Logf("%d of %d changed files are images", taken, files)
	if taken == 0 || taken == files {
		t.Error("the changes never reach what they are meant for")
	}
}

// smallProgram has one entry of each kind, because the fuzzer minimizes larger
// files very slowly.
func smallProgram() *ir.Program {
	route := ir.Route{Pool: "p", Masquerade: ir.MasqueradeUnlessLocalSource, OnEmpty: ir.Drop}
	p := &ir.Program{
		Node: ir.Node{
			Name: "a", Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.1")},
			Local: ir.LocalDetector{Mode: ir.DetectInterface, Interface: "cni0"},
		},
		Pools: []ir.Pool{{ID: "p", Endpoints: []ir.Endpoint{
			{Address: netip.MustParseAddrPort("10.0.0.1:8080"), Weight: 1, Local: true},
			{Address: netip.MustParseAddrPort("10.0.0.2:8080"), Weight: 2},
		}}},
		Frontends: []ir.Frontend{{
			ID: "f", Kind: ir.LoadBalancer, Service: ir.ServicePort{Namespace: "n", Name: "s", Protocol: ir.TCP},
			Match:        ir.Match{Family: ir.IPv4, Address: netip.MustParseAddr("203.0.113.1"), Protocol: ir.TCP, Port: 80},
			SourceRanges: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Affinity: 60, Internal: route, External: route,
		}},
	}
	p.Normalize()
	return p
}

// smallPolicies has one entry of each kind in the maps of policies.
func smallPolicies() *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	p.Policy = ir.Policy{
		OnDeny: ir.Reject,
		Profiles: []ir.Profile{{
			ID: "n/p/1", Pods: []ir.Pod{{Namespace: "n", Name: "p", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}},
			Ingress: []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Name: "i"}}, Rules: []ir.Rule{
				{Action: ir.Accept, Peers: []string{"s"}, Ports: []ir.PortRange{{Protocol: ir.TCP, First: 80, Last: 82}}},
			}}},
		}},
		AddressSets: []ir.AddressSet{{
			ID: "s", Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Except: []netip.Prefix{netip.MustParsePrefix("10.0.0.8/29")},
		}},
	}
	p.Normalize()
	return p
}

// smallDialects has one entry of each kind that only other dialects need.
func smallDialects() *ir.Program {
	p := smallPolicies()
	rules := p.Policy.Profiles[0].Ingress[0].Rules
	rules[0].SourcePorts = []ir.PortRange{{Protocol: ir.TCP, First: 1024, Last: 2047}}
	rules[0].Ports = append(rules[0].Ports, ir.PortRange{Protocol: 47, Last: 65535}, ir.PortRange{Protocol: ir.ICMP, First: 8 << 8, Last: 8<<8 | 255})
	p.Policy.Profiles[0].Ingress[0].OwnNode = true
	p.Policy.Profiles[0].Ingress[0].Rules = append([]ir.Rule{{Action: ir.Log, Prefix: "calico-packet", Peers: []string{"s"}, Ports: []ir.PortRange{{Protocol: ir.TCP, First: 80, Last: 80}}}}, rules...)
	p.Policy.Profiles = append(p.Policy.Profiles, ir.Profile{ID: "node", Node: true, Egress: []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Name: "i"}}}}})
	p.Normalize()
	return p
}

// sealed corrects the digests of a file, if they are in range. It uses the
// documented offsets instead of the code's constants.
func sealed(file []byte) []byte {
	const header, record, metaSize = 64, 72, 408
	b := bytes.Clone(file)
	if len(b) < header {
		return b
	}
	maps := int(min(binary.LittleEndian.Uint32(b[24:]), 16))
	at := header + record*maps
	if len(b) < at+metaSize+32 {
		return b
	}
	meta := b[at : at+metaSize]
	identity := bytes.Clone(b[:28])
	for i := range maps {
		r := b[header+record*i:][:record]
		size := uint64(binary.LittleEndian.Uint32(r[24:])) + uint64(binary.LittleEndian.Uint32(r[20:]))
		if binary.LittleEndian.Uint32(r[16:]) == 2 { // an array stores values only
			size = uint64(binary.LittleEndian.Uint32(r[24:]))
		}
		size *= uint64(binary.LittleEndian.Uint32(r[36:]))
		if size > uint64(len(b)-32-at) {
			return b
		}
		if i == 0 {
			clear(meta[:32])
		}
		sum := sha256.Sum256(b[at:][:size])
		copy(r[40:], sum[:])
		identity = append(identity, r...)
		at += int(size)
	}
	digest := sha256.Sum256(identity)
	copy(b[32:], digest[:])
	copy(meta, digest[:])
	sum := sha256.Sum256(meta)
	copy(b[header+40:], sum[:])
	sum = sha256.Sum256(b[:len(b)-32])
	copy(b[len(b)-32:], sum[:])
	return b
}

// TestSealed shows that the fuzzer reaches the code after the digest checks.
func TestSealed(t *testing.T) {
	a, err := ebpf.New(backends.DefaultOptions()).Emit(compiled(3))
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(a.Files[0].Data)
	broken[33]++ // the digest
	if _, err := ebpf.Read(broken); err == nil {
		t.Fatal("a wrong digest is taken")
	}
	if _, err := ebpf.Read(sealed(broken)); err != nil {
		t.Error(err)
	}
}
