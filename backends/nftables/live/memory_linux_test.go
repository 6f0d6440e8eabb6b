package live

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/text/nft"
)

// TestNoMemory has the kernel run out of memory in the middle of a transaction:
// what was there before stays, whole, the error says what there was no memory for,
// and the next apply does it.
func TestNoMemory(t *testing.T) {
	testkit.RequireMemoryLimit(t)
	r := newRig(t)
	few, many := irtest.ManyServices(20), irtest.ManyServices(2500)
	r.apply(Diff(r.observe(), parse(t, string(emit(t, few)))))
	before := r.list()
	want := parse(t, string(emit(t, many)))
	p := Diff(r.observe(), want)
	const room = 512 << 10 // for a socket and a tenth of the elements
	err := r.WithMemory(room, func() error { return Apply(t.Context(), p) })
	refused(t, err, unix.ENOMEM, "add elements to set", "no memory")
	if d := cmp.Diff(before, r.list()); d != "" {
		t.Errorf("-before +after:\n%s", d)
	}
	r.apply(Diff(r.observe(), want))
	r.verify(want)
}

// TestFullSet is the same with a set that has not the room, which every kernel can
// do.
func TestFullSet(t *testing.T) {
	r := newRig(t)
	r.apply(Diff(r.observe(), parse(t, string(emit(t, irtest.ManyServices(20))))))
	before := r.list()
	want := parse(t, string(emit(t, irtest.ManyServices(200))))
	endpoints := want.Table(nft.IPv4).Set("endpoints")
	endpoints.Size = uint32(endpoints.Elems.Len() / 2)
	p := Diff(r.observe(), want)
	err := r.Do(func() error { return Apply(t.Context(), p) })
	refused(t, err, unix.ENFILE, "add elements to set endpoints", "full")
	if d := cmp.Diff(before, r.list()); d != "" {
		t.Errorf("-before +after:\n%s", d)
	}
	endpoints.Size = 0
	r.apply(Diff(r.observe(), want))
	r.verify(want)
}

func refused(t *testing.T, err error, errno unix.Errno, words ...string) {
	t.Helper()
	if !errors.Is(err, errno) {
		t.Fatalf("error %v", err)
	}
	t.Log(err)
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not say %q", w)
		}
	}
}
