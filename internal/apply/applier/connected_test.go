package applier_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/testing/fakeplane"
	"github.com/planec/planec/ir"
)

// socketPlane is a dataplane with one connected socket, which counts.
type socketPlane struct {
	fakeplane.Nothing
	err error
}

func (p *socketPlane) EndSockets(stale func(service, endpoint netip.AddrPort) bool) (int, error) {
	if p.err == nil && stale(netip.MustParseAddrPort("10.96.0.1:53"), netip.MustParseAddrPort("10.1.0.1:53")) {
		return 1, nil
	}
	return 0, p.err
}

func (*socketPlane) Count(bool) error { return nil }

func (*socketPlane) Connections([]ir.ServicePort) (map[ir.ServicePort]applier.Connections, error) {
	return nil, nil
}

// TestConnected asks dataplanes for what only those of sockets have.
func TestConnected(t *testing.T) {
	t.Parallel()
	sockets := &socketPlane{}
	a, _ := of(t, map[string]applier.Dataplane{"sockets": sockets, "packets": fakeplane.Nothing{}})
	always := func(service, _ netip.AddrPort) bool { return service.Port() == 53 }
	if n, err := a.EndSockets("sockets", always); n != 1 || err != nil {
		t.Errorf("%d sockets, %v", n, err)
	}
	if n, err := a.EndSockets("packets", always); n != 0 || err != nil {
		t.Errorf("packets have %d sockets, %v", n, err)
	}
	if sockets.err = errKernel; !errors.Is(errorOf(a.EndSockets("sockets", always)), errKernel) {
		t.Error("an error is lost")
	}
	if err := errorOf(a.EndSockets("sockets", always)); text(err) != "backend sockets: "+errKernel.Error() {
		t.Errorf("the error does not name the backend: %v", err)
	}
	if a.Counting("sockets") == nil || a.Counting("packets") != nil || a.Counting("none") != nil {
		t.Error("what can count is not told from what cannot")
	}
}

func errorOf(_ int, err error) error { return err }
