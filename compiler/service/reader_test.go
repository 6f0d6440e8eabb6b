package service

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
)

// TestReader reads Services of random clusters one after another, in memory that others were in
// before. Each gives the part and the findings that it gives when it is analyzed alone.
func TestReader(t *testing.T) {
	reader, read := NewReader(Settings{}), 0
	for seed := range uint64(100) {
		set := randomcluster.New(seed).Objects
		for _, o := range set.Services {
			owned := Owned{Service: o}
			for _, s := range set.EndpointSlices {
				if objects.OwnerOf(s.Object) == objects.NameOf(o.Object) {
					owned.Slices = append(owned.Slices, s)
				}
			}
			single, said := reader.Read(&owned)
			model, want := AnalyzeOwned([]Owned{owned}, Settings{})
			if have := text(func(b *Builder) { b.Add(single) }); have != text(func(b *Builder) { b.Append(model) }) {
				t.Fatalf("seed %d: %v gives\n%s", seed, objects.NameOf(o.Object), have)
			}
			if fmt.Sprint(said) != fmt.Sprint(want) {
				t.Errorf("seed %d: %v has the findings %v, want %v", seed, objects.NameOf(o.Object), said, want)
			}
			if single.service != nil {
				read++
			}
		}
	}
	if read < 200 {
		t.Errorf("only %d Services had rules", read)
	}
}

func text(add func(*Builder)) string {
	var p ir.Program
	b := NewBuilder(&Node{Name: randomcluster.Node}, func(netip.Addr) bool { return false }, &p, 0)
	add(b)
	b.Finish()
	p.Normalize()
	return string(p.Text())
}

// TestManyPorts wants the same answers of a Service with few ports, which are looked through, and
// of one with so many that there is a map.
func TestManyPorts(t *testing.T) {
	for _, n := range []int{few - 2, few, 3 * few} {
		s := &service{object: manyPorts(n)}
		a := newAnalysis(Settings{})
		a.ports(s)
		if len(s.ports) != n || len(a.diags) != 2 {
			t.Errorf("%d ports: %d are read, %v", n, len(s.ports), a.diags)
		}
		for i := range n {
			if p := s.portNamed(fmt.Sprint("p", i)); p == nil || p != &s.ports[i] {
				t.Errorf("%d ports: p%d is %v", n, i, p)
			}
		}
		if s.portNamed("other") != nil {
			t.Errorf("%d ports: there is one with another name", n)
		}
	}
}

// manyPorts has n ports, one with a name and one with a number that another has.
func manyPorts(n int) *corev1.Service {
	s := &corev1.Service{}
	for i := range n {
		s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: fmt.Sprint("p", i), Port: int32(1 + i)})
	}
	s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{Name: "p0", Port: 60000}, corev1.ServicePort{Name: "last", Port: 1})
	return s
}

// TestTexts wants the strings to stay when others are made.
func TestTexts(t *testing.T) {
	want := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), i%97*(i%200/190*99+1)) }
	var made texts
	var got []string
	var b []byte
	for i := range 3000 {
		b = append(b[:0], want(i)...)
		got = append(got, made.of(b))
	}
	for i := range got {
		if want := want(i); got[i] != want {
			t.Fatalf("string %d is %.20q, want %.20q", i, got[i], want)
		}
	}
}
