package ebpf

import (
	"bytes"
	"strings"
	"testing"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// edit is the entries of a map while a test changes them.
type edit struct {
	img   *Image
	index int
}

// each replaces every entry by what the function makes of it; nil drops it.
func (e edit) each(change func(i int, key, value []byte) []byte) {
	m := &e.img.maps[e.index]
	var out []byte
	for i := range m.Len() {
		out = append(out, change(i, bytes.Clone(m.Key(i)), bytes.Clone(m.Value(i)))...)
	}
	m.data = out
}

func (e edit) add(entry ...byte) {
	m := &e.img.maps[e.index]
	m.data = append(bytes.Clone(m.data), entry...)
}

// TestReadRefusesPolicies violates one invariant of the policy maps at a time. Counts
// and digests are correct, so only the check of references finds the violation.
func TestReadRefusesPolicies(t *testing.T) {
	pods := func(change func(p *layout.Pod)) func(*Image) {
		return func(img *Image) {
			edit{img, layout.Pods}.each(func(_ int, key, value []byte) []byte {
				p := layout.DecodePod(value)
				change(&p)
				return p.Append(key)
			})
		}
	}
	classes := func(change func(k *layout.PrefixKey, class *uint32)) func(*Image) {
		return func(img *Image) {
			edit{img, layout.Classes}.each(func(_ int, key, value []byte) []byte {
				k, class := layout.DecodePrefixKey(key), layout.DecodeIndex(value)
				change(&k, &class)
				return layout.AppendIndex(k.Append(nil), class)
			})
		}
	}
	rows := func(change func(k *layout.RowKey, row *layout.PolicyID)) func(*Image) {
		return func(img *Image) {
			edit{img, layout.Rows}.each(func(_ int, key, value []byte) []byte {
				k, row := layout.DecodeRowKey(key), layout.PolicyID(value)
				change(&k, &row)
				return append(k.Append(nil), row[:]...)
			})
		}
	}
	ports := func(change func(k *layout.PortKey, verdict *uint32)) func(*Image) {
		return func(img *Image) {
			edit{img, layout.Ports}.each(func(_ int, key, value []byte) []byte {
				k, verdict := layout.DecodePortKey(key), layout.DecodeIndex(value)
				change(&k, &verdict)
				return layout.AppendIndex(k.Append(nil), verdict)
			})
		}
	}
	drop := func(index int, which func(key []byte) bool) func(*Image) {
		return func(img *Image) {
			edit{img, index}.each(func(_ int, key, value []byte) []byte {
				if which(key) {
					return nil
				}
				return append(key, value...)
			})
		}
	}
	all := func([]byte) bool { return true }
	network := func(bits uint32, set uint32, at string, class uint32) func(*Image) {
		return func(img *Image) {
			k := layout.PrefixKey{Bits: bits, Set: layout.BE32Of(set), Address: layout.AddressOf(addrs(at)[0])}
			edit{img, layout.Classes}.add(layout.AppendIndex(k.Append(nil), class)...)
		}
	}
	for _, c := range []struct {
		want   string
		change func(*Image)
	}{
		{"unknown flags, profile", pods(func(p *layout.Pod) { p.Flags |= 64 })},
		{"unknown flags, profile", pods(func(p *layout.Pod) { p.Reserved[3] = 1 })},
		{"unknown flags, profile", pods(func(p *layout.Pod) { p.Profile = layout.RowDeny })},
		{"unknown flags, profile", pods(func(p *layout.Pod) { p.Flags, p.Egress, p.Ingress = 0, layout.PolicyID{}, layout.PolicyID{} })},
		{"is not there", pods(func(p *layout.Pod) { p.Flags &^= layout.PodEgress })},
		{"is not there", pods(func(p *layout.Pod) { p.Ingress = layout.PolicyID{} })},
		{"is not there", pods(func(p *layout.Pod) { p.Ingress = layout.PolicyID{0: 9} })},
		{"is another for another pod", func(img *Image) {
			edit{img, layout.Pods}.each(func(i int, key, value []byte) []byte {
				p := layout.DecodePod(value)
				if i == 1 {
					p.Ingress = layout.RowAccept
				}
				return p.Append(key)
			})
		}},
		{"is no pod's, or not policed", drop(layout.Pods, func(key []byte) bool { return key[15] == 4 })},
		{"is no pod's, or not policed", drop(layout.Pods, all)},
		{"is no pod's, or not policed", pods(func(p *layout.Pod) { p.Flags &^= layout.PodEgress; p.Egress = layout.PolicyID{} })},
		{"is the default", pods(func(p *layout.Pod) { p.Ingress = layout.RowAccept })},
		{"direction 1: it denies something, false", drop(layout.Rows, func(key []byte) bool { return layout.DecodeRowKey(key).Direction == layout.DirectionEgress })},
		{"nothing refers to row", drop(layout.Rows, func(key []byte) bool { return layout.DecodeRowKey(key).Direction == layout.DirectionIngress })},

		{"is no prefix in its canonical form", classes(func(k *layout.PrefixKey, _ *uint32) { k.Address[15] |= 1 })},
		{"is no prefix in its canonical form", classes(func(k *layout.PrefixKey, _ *uint32) { k.Bits += 256 })},
		{"is in set 5", classes(func(k *layout.PrefixKey, _ *uint32) { k.Set[3] = 5 })},
		{"is in set 6", classes(func(k *layout.PrefixKey, _ *uint32) { k.Set[3] = 6 })},
		{"without it", network(layout.SetBits+128-8, layout.ClassesIPv4, "11.0.0.0", 0x2a071f69)},
		{"without it", network(layout.SetBits+128-16, layout.ClassesIPv4, "10.7.0.0", 0)},
		{"no address has class", classes(func(_ *layout.PrefixKey, class *uint32) {
			if *class != 0 {
				*class++
			}
		})},
		{"no address has class", drop(layout.Classes, all)},

		{"unknown direction 0", rows(func(k *layout.RowKey, _ *layout.PolicyID) { k.Direction &= layout.DirectionEgress })},
		{"unknown direction 4", rows(func(k *layout.RowKey, _ *layout.PolicyID) {
			if k.Direction == layout.DirectionIngress {
				k.Direction = 4
			}
		})},
		{"unknown direction", rows(func(k *layout.RowKey, _ *layout.PolicyID) { k.Reserved[0] = 1 })},
		{"is commoner", rows(func(k *layout.RowKey, _ *layout.PolicyID) {
			if k.Class[0] == 0xd1 {
				k.Class = layout.BE32{}
			}
		})},
		{"is not there", rows(func(_ *layout.RowKey, row *layout.PolicyID) { row[0]++ })},
		{"is the default", rows(func(k *layout.RowKey, row *layout.PolicyID) {
			if k.Direction == layout.DirectionIngress {
				*row = layout.RowDeny
			}
		})},

		{"unknown verdict 0", ports(func(_ *layout.PortKey, verdict *uint32) { *verdict = 0 })},
		{"unknown verdict 3", ports(func(_ *layout.PortKey, verdict *uint32) { *verdict = 3 })},
		{"a verdict that every packet gets", ports(func(_ *layout.PortKey, verdict *uint32) { *verdict = uint32(layout.VerdictAccept) })},
		{"has no verdict for every packet", drop(layout.Ports, func(key []byte) bool { return layout.DecodePortKey(key).Bits == layout.RowBits })},
		{"a reserved identity, or no ports", drop(layout.Ports, func(key []byte) bool { return layout.DecodePortKey(key).Bits != layout.RowBits })},
		{"is not in its canonical form", ports(func(k *layout.PortKey, _ *uint32) {
			if k.Bits > layout.RowBits && k.Bits < layout.MaxPortBits {
				k.Port[1] |= 1
			}
		})},
		{"is not in its canonical form", ports(func(k *layout.PortKey, _ *uint32) {
			if k.Bits > layout.RowBits {
				k.Protocol = 47
			}
		})},
		{"bits are no ports", ports(func(k *layout.PortKey, _ *uint32) {
			if k.Bits == layout.ProtocolBits {
				k.Bits = layout.ProtocolBits - 1
			}
		})},
		{"bits are no ports", ports(func(k *layout.PortKey, _ *uint32) {
			if k.Bits > layout.RowBits {
				k.Reserved = 1
			}
		})},
		{"are there twice", func(img *Image) {
			k := layout.DecodePortKey(img.maps[layout.Ports].Key(img.maps[layout.Ports].Len() - 1))
			k.Bits = layout.ProtocolBits + 1
			k.Port = layout.Port{}
			edit{img, layout.Ports}.add(layout.AppendIndex(k.Append(nil), uint32(layout.VerdictAccept))...)
		}},
		{"not in as few prefixes", func(img *Image) {
			edit{img, layout.Ports}.each(func(_ int, key, value []byte) []byte {
				k := layout.DecodePortKey(key)
				if k.Bits != layout.ProtocolBits {
					return append(key, value...)
				}
				k.Bits++
				out := append(k.Append(nil), value...)
				k.Port[0] = 0x80
				return append(append(out, k.Append(nil)...), value...)
			})
		}},
		{"unknown version, flags", func(img *Image) {
			info := img.Info()
			info.Features &^= layout.FeaturePolicies
			img.maps[layout.Meta].data = info.Append(nil)
		}},
	} {
		img := imageOf(t, policed())
		c.change(img)
		var entries [layout.NumMaps][]byte
		info := img.Info()
		for i := range img.maps {
			if m := &img.maps[i]; i != layout.Meta {
				m.sort()
				info.SetCount(i, uint32(m.Len()))
			}
		}
		img.maps[layout.Meta].data = info.Append(nil)
		img.seal()
		for i := range img.maps {
			entries[i] = img.maps[i].data
		}
		if _, err := NewImage(entries); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("entries: want an error about %q, got %v", c.want, err)
		}
		if _, err := Read(img.Bytes()); err == nil {
			t.Errorf("file: want an error about %q", c.want)
		}
	}
	if _, err := Read(imageOf(t, policed()).Bytes()); err != nil {
		t.Error(err)
	}
	empty := imageOf(t, &ir.Program{Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectNone}}})
	info := empty.Info()
	info.Features = layout.FeaturePolicies
	empty.maps[layout.Meta].data = info.Append(nil)
	empty.seal()
	if _, err := Read(empty.Bytes()); err == nil || !strings.Contains(err.Error(), "features 0x80") {
		t.Errorf("policies that are not there: %v", err)
	}
}
