package conntrack

import (
	"testing"

	"github.com/planec/planec/ir"
)

// TestMemory has a change that fails, and one whose flows cannot be ended, before
// a full check.
func TestMemory(t *testing.T) {
	const (
		svc  = vip + ":53"
		node = nodeAddr + ":30053"
		one  = "10.2.0.1:5353"
	)
	stale := func(f Filters, dst string) bool { return newIndex(f).stale(flow(ir.UDP, dst, one)) }
	served, gone := program(ir.UDP, "svc=1", "node=1"), program(ir.UDP)
	gone.Node.ServiceCIDRs = nil // only the memory knows the Service

	var m Memory
	if f := m.Stale(nil, gone); !f.Empty() {
		t.Errorf("without a memory: %v", f)
	}
	m.Ended(nil, served)
	if f := m.Stale(nil, gone); !stale(f, svc) || !stale(f, node) {
		t.Errorf("after a failed change: %v", f)
	}
	if f := m.Stale(nil, served); stale(f, svc) || stale(f, node) {
		t.Errorf("nothing changed: %v", f)
	}
	m.Ended(program(ir.UDP, "node=1"), program(ir.UDP))
	if f := m.Stale(nil, gone); !stale(f, svc) || stale(f, node) {
		t.Errorf("after a fragment: %v", f)
	}
	m.Ended(nil, gone)
	if f := m.Stale(nil, gone); !f.Empty() {
		t.Errorf("after all was ended: %v", f)
	}
}
