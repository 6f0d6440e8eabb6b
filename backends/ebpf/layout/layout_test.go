package layout

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// offsets lists every field as "offset size field". The C structs of the programs
// must match it, so a change here is a change of Version.
const offsets = `
ServiceKey 20
  0 16 Address
  16 2 Port
  18 1 Protocol
  19 1 Scope
Route 16
  0 4 Base
  4 4 Count
  8 4 Total
  12 1 Masquerade
  13 1 OnEmpty
  14 2 Flags
Service 64
  0 8 ID
  8 16 Internal
  24 16 External
  40 4 Affinity
  44 4 Sources
  48 1 Kind
  49 15 Reserved
Endpoint 32
  0 16 Address
  16 2 Port
  18 2 Flags
  20 4 Threshold
  24 4 Alias
  28 4 Weight
PrefixKey 24
  0 4 Bits
  4 4 Set
  8 16 Address
Pod 32
  0 8 Profile
  8 8 Egress
  16 8 Ingress
  24 4 Flags
  28 4 Reserved
RowKey 16
  0 8 Profile
  8 1 Direction
  9 3 Reserved
  12 4 Class
PortKey 16
  0 4 Bits
  4 8 Row
  12 1 Reserved
  13 1 Protocol
  14 2 Port
LogKey 12
  0 8 Row
  8 4 Number
Info 408
  0 32 Digest
  32 4 Version
  36 4 Flags
  40 8 Features
  48 20 Counts
  68 1 Detector
  69 1 InterfaceLen
  70 2 RangeCounts
  72 16 Interface
  88 24 PolicyCounts
  112 4 ABI
  116 4 Reserved
  120 32 Node
  152 256 Ranges
Range 32
  0 16 Address
  16 16 Mask
AffinityKey 28
  0 8 Service
  8 16 Client
  24 1 Kind
  25 3 Reserved
AffinityValue 32
  0 16 Address
  16 2 Port
  18 2 Reserved
  20 4 Place
  24 8 Last
`

// TestOffsets sums the sizes as a compiler does for packed structs, and wants every
// field to be naturally aligned, so that unpacked structs have the same layout.
func TestOffsets(t *testing.T) {
	var b strings.Builder
	b.WriteByte('\n')
	for _, v := range []any{ServiceKey{}, Route{}, Service{}, Endpoint{}, PrefixKey{}, Pod{}, RowKey{}, PortKey{}, LogKey{}, Info{}, Range{}, AffinityKey{}, AffinityValue{}} {
		typ := reflect.TypeOf(v)
		fmt.Fprintf(&b, "%s %d\n", typ.Name(), binary.Size(v))
		at := 0
		for i := range typ.NumField() {
			f := typ.Field(i)
			size := binary.Size(reflect.Zero(f.Type).Interface())
			fmt.Fprintf(&b, "  %d %d %s\n", at, size, f.Name)
			if at%f.Type.Align() != 0 {
				t.Errorf("%s.%s is at %d, aligned to %d", typ.Name(), f.Name, at, f.Type.Align())
			}
			at += size
		}
	}
	if b.String() != offsets {
		t.Errorf("the layout changed:\n%s", b.String())
	}
}

// TestSizes wants the sizes of the maps to equal those of the structs.
func TestSizes(t *testing.T) {
	for name, sizes := range map[string][2]int{
		"ServiceKey":    {ServiceKeySize, binary.Size(ServiceKey{})},
		"Route":         {RouteSize, binary.Size(Route{})},
		"Service":       {ServiceSize, binary.Size(Service{})},
		"Endpoint":      {EndpointSize, binary.Size(Endpoint{})},
		"PrefixKey":     {PrefixKeySize, binary.Size(PrefixKey{})},
		"Info":          {MetaSize, binary.Size(Info{})},
		"PolicyID":      {PolicyIDSize, binary.Size(PolicyID{})},
		"Pod":           {PodSize, binary.Size(Pod{})},
		"RowKey":        {RowKeySize, binary.Size(RowKey{})},
		"PortKey":       {PortKeySize, binary.Size(PortKey{})},
		"LogKey":        {LogKeySize, binary.Size(LogKey{})},
		"Verdict":       {VerdictSize, binary.Size(Verdict(0))},
		"Address":       {AddressSize, binary.Size(Address{})},
		"AffinityKey":   {AffinityKeySize, binary.Size(AffinityKey{})},
		"AffinityValue": {AffinityValueSize, binary.Size(AffinityValue{})},
	} {
		if sizes[0] != sizes[1] {
			t.Errorf("%s: the constant says %d, the struct has %d", name, sizes[0], sizes[1])
		}
	}
	for i, m := range Maps() {
		if m.Name == "" || len("plc_"+m.Name) > 15 || m.Flags&ReadOnlyProg == 0 || (m.Type == LPMTrie) != (m.Flags&NoPrealloc != 0) || (m.Type == Array) != (m.Flags&InnerMap != 0) {
			t.Errorf("map %d: %+v", i, m)
		}
	}
	if len(FeatureNames()) != 8 || AllFeatures != 1<<8-1 {
		t.Errorf("%d names of features %#x", len(FeatureNames()), AllFeatures)
	}
}

// random fills a struct.
func random[T any](rng *rand.Rand) (v T) {
	raw := make([]byte, binary.Size(v))
	for i := range raw {
		raw[i] = byte(rng.Uint32())
	}
	if _, err := binary.Decode(raw, binary.LittleEndian, &v); err != nil {
		panic(err)
	}
	return v
}

// TestCodecs compares each Append with encoding/binary's view of the same
// struct, and reads it back.
func TestCodecs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		codec(t, random[ServiceKey](rng), ServiceKey.Append, DecodeServiceKey)
		codec(t, random[Route](rng), Route.Append, DecodeRoute)
		codec(t, random[Service](rng), Service.Append, DecodeService)
		codec(t, random[Endpoint](rng), Endpoint.Append, DecodeEndpoint)
		codec(t, random[PrefixKey](rng), PrefixKey.Append, DecodePrefixKey)
		codec(t, random[Pod](rng), Pod.Append, DecodePod)
		codec(t, random[RowKey](rng), RowKey.Append, DecodeRowKey)
		codec(t, random[PortKey](rng), PortKey.Append, DecodePortKey)
		codec(t, random[LogKey](rng), LogKey.Append, DecodeLogKey)
		codec(t, random[Info](rng), func(v Info, b []byte) []byte { return v.Append(b) }, DecodeInfo)
	}
}

func codec[T comparable](t *testing.T, v T, encode func(T, []byte) []byte, decode func([]byte) T) {
	t.Helper()
	want, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		t.Fatal(err)
	}
	got := encode(v, nil)
	if !bytes.Equal(got, want) || decode(got) != v {
		t.Errorf("%T: %x, want %x; read back %v of %v", v, got, want, decode(got), v)
	}
}

func TestPrefixKeys(t *testing.T) {
	for _, s := range []string{"10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32", "::/0", "fd00::/8", "2001:db8::1/128"} {
		p := netip.MustParsePrefix(s)
		k := PrefixKeyOf(5, p)
		if k.Prefix() != p || k.Set.Number() != 5 || DecodePrefixKey(k.Append(nil)) != k {
			t.Errorf("%v: %+v is %v", p, k, k.Prefix())
		}
	}
	if (PrefixKey{Bits: 31}).Prefix().IsValid() || (PrefixKey{Bits: 161}).Prefix().IsValid() {
		t.Error("a prefix of impossible length")
	}
}

// TestKeyOrder: the order of keys is that of their bytes.
func TestKeyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 5))
	for range 10000 {
		a := random[ServiceKey](rng)
		b := a
		raw := b.Append(nil)
		raw[rng.IntN(len(raw))] ^= byte(rng.Uint32())
		b = DecodeServiceKey(raw)
		if a.Compare(b) != bytes.Compare(a.Append(nil), b.Append(nil)) {
			t.Fatalf("%+v and %+v", a, b)
		}
	}
}

// TestServiceRanges puts service ranges into meta and reads them back; what is not as it
// would be written is not valid.
func TestServiceRanges(t *testing.T) {
	parse := func(list ...string) (out []netip.Prefix) {
		for _, s := range list {
			out = append(out, netip.MustParsePrefix(s))
		}
		return out
	}
	for _, list := range [][]netip.Prefix{nil, parse("0.0.0.0/0"), parse("10.96.0.0/12", "10.112.0.0/13", "192.168.1.1/32"), parse("::/0"), parse("fd00::/108", "fd00:1::/127", "fd01::1/128")} {
		info := Info{Version: Version, ABI: ABI}
		ipv6 := len(list) > 0 && list[0].Addr().Is6()
		if !info.SetRanges(ipv6, list) || !info.ValidInfo() || len(info.ServiceRanges(!ipv6)) != 0 {
			t.Errorf("%v: %+v", list, info)
		}
		for i, r := range info.ServiceRanges(ipv6) {
			if r.Prefix() != list[i] {
				t.Errorf("%v is read as %v", list[i], r.Prefix())
			}
		}
	}
	five := parse("10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8", "13.0.0.0/8", "14.0.0.0/8")
	info := Info{Version: Version, ABI: ABI}
	if info.SetRanges(false, five) || !info.ValidInfo() || info.ServiceRanges(false) != nil || info.Ranges != [2 * MaxRanges]Range{} {
		t.Errorf("five ranges: %+v", info)
	}
	for name, change := range map[string]func(*Info){
		"out of order":           func(m *Info) { m.Ranges[0], m.Ranges[1] = m.Ranges[1], m.Ranges[0] },
		"twice":                  func(m *Info) { m.Ranges[1] = m.Ranges[0] },
		"of another family":      func(m *Info) { m.RangeCounts[1], m.Ranges[MaxRanges] = 1, m.Ranges[0] },
		"not counted":            func(m *Info) { m.Ranges[2] = RangeOf(five[4]) },
		"too many":               func(m *Info) { m.RangeCounts[0] = MaxRanges + 1 },
		"bits outside the mask":  func(m *Info) { m.Ranges[1].Address[15] = 1 },
		"a mask with a hole":     func(m *Info) { m.Ranges[1].Mask[15] = 1 },
		"another ABI":            func(m *Info) { m.ABI++ },
		"what should be nothing": func(m *Info) { m.Reserved = 1 },
	} {
		info := Info{Version: Version, ABI: ABI}
		info.SetRanges(false, five[:2])
		if change(&info); info.ValidInfo() {
			t.Errorf("%s: it is valid", name)
		}
	}
}

func TestPortRanges(t *testing.T) {
	for _, c := range []struct {
		bits              uint32
		port, first, last uint16
	}{{ProtocolBits, 0, 0, 65535}, {MaxPortBits, 80, 80, 80}, {MaxPortBits - 10, 1024, 1024, 2047}, {MaxPortBits - 1, 65534, 65534, 65535}} {
		first, last := PortKey{Bits: c.bits, Port: PortOf(c.port)}.Range()
		if first != c.first || last != c.last {
			t.Errorf("%d bits of %d are %d to %d", c.bits, c.port, first, last)
		}
	}
}

// TestFilesWithoutPolicies: such files are the same as before policies were supported.
func TestFilesWithoutPolicies(t *testing.T) {
	if MapsFor(AllFeatures&^FeaturePolicies) != 6 || MapsFor(FeaturePolicies) != NumMaps {
		t.Errorf("%d and %d maps", MapsFor(0), MapsFor(FeaturePolicies))
	}
	info := Info{Version: Version, ABI: ABI}
	if !info.ValidInfo() {
		t.Fatal("an empty one is not valid")
	}
	for i := range NumMaps {
		if i == Meta {
			continue
		}
		with := info
		with.SetCount(i, 7)
		if with.Count(i) != 7 || with.ValidInfo() != (i < Pods) {
			t.Errorf("map %d: %d entries", i, with.Count(i))
		}
		with.Features = FeaturePolicies
		with.Flags = FlagDenyReject
		if !with.ValidInfo() {
			t.Errorf("map %d: entries and policies", i)
		}
	}
	info.Flags = FlagDenyReject
	if info.ValidInfo() {
		t.Error("a way to deny, and nothing that does")
	}
}

// TestCompareAllocatesNothing: whole applies sort all keys, several times.
func TestCompareAllocatesNothing(t *testing.T) {
	a := ServiceKey{Address: Address{15: 1}, Port: PortOf(80), Protocol: 6}
	b := a
	b.Port = PortOf(443)
	order := 0
	if n := testing.AllocsPerRun(100, func() { order += a.Compare(b) }); n != 0 || order >= 0 {
		t.Errorf("%v allocations, order %d", n, order)
	}
}
