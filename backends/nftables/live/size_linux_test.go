package live

import (
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"
)

// TestLongLists loads more elements than fit into one message, with comments as
// long as can be, and counts what arrived: the length of a list has 16 bits, and
// nothing says so.
func TestLongLists(t *testing.T) {
	r, fresh := newRig(t), newRig(t)
	p := irtest.ManyServices(2500)
	for i := range p.Frontends {
		p.Frontends[i].Service.Namespace = strings.Repeat("n", 60)
		p.Frontends[i].Service.Name = strings.Repeat("s", 50) + p.Frontends[i].Service.Name
	}
	text := string(emit(t, p))
	want := parse(t, text)
	r.apply(Diff(r.observe(), want))
	if got := r.observe().Model.Elements(); got != want.Elements() || got < 15000 {
		t.Errorf("%d elements of %d", got, want.Elements())
	}
	r.verify(want)
	fresh.nft(text)
	if fresh.list() != r.list() {
		t.Error("nft lists something else")
	}
	// And away again, all but one Service.
	few := parse(t, string(emit(t, some(p, 0, 1))))
	r.apply(Diff(r.observe(), few))
	r.verify(few)
}
