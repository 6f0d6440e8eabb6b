package ebpf

import (
	"bytes"
	"strings"
	"testing"

	"github.com/planec/planec/backends/ebpf/layout"
)

// TestReadRefuses violates one invariant of an image at a time. Every digest is
// correct, so only the check of references finds the violation.
func TestReadRefuses(t *testing.T) {
	svc := func(change func(s *layout.Service)) func(*Image) {
		return func(img *Image) {
			m := &img.maps[layout.Services]
			for i := range m.Len() {
				s := layout.DecodeService(m.Value(i))
				change(&s)
				copy(m.data[i*m.stride()+layout.ServiceKeySize:], s.Append(nil))
			}
		}
	}
	ep := func(at int, change func(e *layout.Endpoint)) func(*Image) {
		return func(img *Image) {
			m := &img.maps[layout.Endpoints]
			e := layout.DecodeEndpoint(m.Value(at))
			change(&e)
			copy(m.data[at*m.stride():], e.Append(nil))
		}
	}
	info := func(change func(i *layout.Info)) func(*Image) {
		return func(img *Image) {
			i := img.Info()
			change(&i)
			img.maps[layout.Meta].data = i.Append(nil)
		}
	}
	poke := func(index, at int, b byte) func(*Image) {
		return func(img *Image) { img.maps[index].data[at] ^= b }
	}
	for want, change := range map[string]func(*Image){
		"unknown masquerade":       svc(func(s *layout.Service) { s.Internal.Masquerade = 3 }),
		"reserved bytes":           svc(func(s *layout.Service) { s.Reserved[14] = 1 }),
		"set 99 of source":         svc(func(s *layout.Service) { s.Sources = 99 }),
		"of which services use 0":  svc(func(s *layout.Service) { s.Sources = 0 }),
		"a route without":          svc(func(s *layout.Service) { s.External.Count = 0 }),
		"endpoints 4294967295":     svc(func(s *layout.Service) { s.Internal.Base, s.Internal.Count = 1<<32-1, 1<<32-1 }),
		"kind 9":                   svc(func(s *layout.Service) { s.Kind = 9 }),
		"features":                 svc(func(s *layout.Service) { s.Affinity = 0 }),
		"its alias is not in":      ep(4, func(e *layout.Endpoint) { e.Alias = 3 }),
		"not drawn as often":       ep(4, func(e *layout.Endpoint) { e.Threshold-- }),
		"unknown flags, no port":   ep(0, func(e *layout.Endpoint) { e.Port = layout.Port{} }),
		"not after the one before": ep(1, func(e *layout.Endpoint) { e.Address = layout.Address{} }),
		"order of their first use": func(img *Image) {
			m := &img.maps[layout.Services] // the first routes to the pools at 0 and 3 change places
			for i := range m.Len() {
				s := layout.DecodeService(m.Value(i))
				if s.Internal.Base == 0 && s.Internal.Count == 3 && s.External.Base == 3 {
					s.Internal, s.External = s.External, s.Internal
					copy(m.Value(i), s.Append(nil))
				}
			}
		},
		"unknown version, flags": info(func(i *layout.Info) { i.Flags = 1 << 31 }),
		"unknown version":        info(func(i *layout.Info) { i.InterfaceLen = 16 }),
		"unknown flags 0x83":     poke(layout.Addresses, layout.AddressSize, 0x80),
		"is no prefix":           poke(layout.Prefixes, 23, 1),
		"unknown set":            poke(layout.Prefixes, 4, 0xff),
		"set 2 of source":        poke(layout.Sources, 4, 0xff),
		"map svc":                poke(layout.Services, layout.ServiceKeySize-2, 0xff),
		"the keys are not in order": func(img *Image) {
			m := &img.maps[layout.Addresses]
			copy(m.data[m.stride():], m.data[:m.stride()])
		},
		"counts": func(img *Image) {
			m := &img.maps[layout.Addresses]
			m.data = m.data[:len(m.data)-m.stride()]
		},
	} {
		img := imageOf(t, kitchenSink())
		for i := range img.maps {
			img.maps[i].data = bytes.Clone(img.maps[i].data)
		}
		change(img)
		img.seal()
		if _, err := Read(img.Bytes()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, got %v", want, err)
		}
	}
}
