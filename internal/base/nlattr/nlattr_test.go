package nlattr

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// TestRoundTrip writes attributes of all lengths and reads them again, also those
// without a value and with flags.
func TestRoundTrip(t *testing.T) {
	var b []byte
	for n := range 9 {
		b = Append(b, uint16(n+1)|1<<15, make([]byte, n%8))
	}
	n := 0
	for kind, v := range All(b) {
		if int(kind) != n+1 || len(v) != n%8 {
			t.Errorf("attribute %d: type %d, %d bytes", n, kind, len(v))
		}
		n++
	}
	if n != 9 || len(b)%4 != 0 {
		t.Errorf("%d attributes in %d bytes", n, len(b))
	}
}

// TestHostileLengths reads attributes that are cut off or say another length than they
// have.
func TestHostileLengths(t *testing.T) {
	whole := Append(Append(nil, 3, []byte("abcde\x00")), 1, []byte("planec\x00"))
	if got := String(Get(whole, 1)); got != "planec" {
		t.Errorf("%q", got)
	}
	if Get(whole, 9) != nil {
		t.Error("an attribute that is not there")
	}
	for n := range whole {
		if got := String(Get(whole[:n], 1)); got == "planec" && n < len(whole)-1 {
			t.Errorf("%d of %d bytes: %q", n, len(whole), got)
		}
	}
	for _, length := range []uint16{0, 1, 3, 15, 60, 0xffff} {
		broken := binary.NativeEndian.AppendUint16(nil, length)
		broken = append(append(broken, 1, 0), "planec"...)
		for kind, v := range All(broken) {
			t.Errorf("length %d: type %d, %q", length, kind, v)
		}
	}
}

// TestDropNested wants the flag off attributes at every depth, and all else to stay.
func TestDropNested(t *testing.T) {
	build := func(flag uint16) []byte {
		inner := Append(Append(nil, 1, []byte("odd")), 2|flag, Append(nil, 3|flag, nil))
		return Append(Append(nil, 4, []byte{0, 0x80, 0, 0x80, 0, 0x80}), 5|flag, inner)
	}
	got := build(nested)
	DropNested(got)
	if !bytes.Equal(got, build(0)) {
		t.Errorf("%x", got)
	}
	for n := range got {
		DropNested(build(nested)[:n])
	}
}

func TestValues(t *testing.T) {
	for n := range 10 {
		v := make([]byte, n)
		for i := range v {
			v[i] = 1
		}
		if got := Uint32(v); (got == 0x01010101) != (n == 4) || n != 4 && got != 0 {
			t.Errorf("%d bytes: %x", n, got)
		}
		if got := Uint64(v); (got == 0x0101010101010101) != (n == 8) || n != 8 && got != 0 {
			t.Errorf("%d bytes: %x", n, got)
		}
	}
	for v, want := range map[string]string{"": "", "\x00": "", "x": "x", "x\x00": "x", "x\x00\x00": "x\x00"} {
		if got := String([]byte(v)); got != want {
			t.Errorf("%q: %q", v, got)
		}
	}
}

// FuzzAll wants no value outside of the message, whatever the lengths are.
func FuzzAll(f *testing.F) {
	f.Add(Append(Append(nil, 1, []byte("planec")), 2, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		for _, v := range All(b) {
			n += headerLen + len(v)
			for range All(v) {
			}
		}
		if n > len(b) {
			t.Errorf("%d bytes of %d", n, len(b))
		}
	})
}
