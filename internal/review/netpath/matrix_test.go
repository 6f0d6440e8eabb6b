package netpath_test

import (
	"fmt"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/ir"
)

// TestMatrixIsTrace holds the matrix, which asks about classes of pods, against
// following each connection.
func TestMatrixIsTrace(t *testing.T) {
	set := clustergen.PolicyObjects(clustergen.PolicySize{Pods: 120, Nodes: 3, Namespaces: 6, Policies: 12})
	for i := range set.Pods {
		switch i % 17 {
		case 0:
			set.Pods[i].Object.Spec.HostNetwork = true
			set.Pods[i].Object.Status.PodIPs = nil
			set.Pods[i].Object.Status.PodIP = "192.168.0.10"
			set.Pods[i].Object.Spec.NodeName = "node-000"
		case 1:
			set.Pods[i].Object.Spec.NodeName = "" // no node has been chosen yet
		}
	}
	network := netpath.New(&set, compiler.Prepare(&set, objects.Config{}), netpath.Evaluator)
	ports := []netpath.Port{{Protocol: ir.TCP, Number: 8080}, {Protocol: ir.TCP, Number: 8081}, {Protocol: ir.UDP, Number: 53}, {Protocol: ir.TCP, Number: 9101}}
	counts := make(map[bool]int)
	err := network.Matrix(netpath.Pods(&set), ports, func(from, to *netpath.Pod, port netpath.Port, allowed bool) {
		c := netpath.Connection{Src: from.Addresses[ir.IPv4], Dst: to.Addresses[ir.IPv4], Protocol: port.Protocol, Port: port.Number, FromHost: from.Place.Host, Node: from.Place.Node}
		o, err := network.Trace(c)
		if err != nil {
			t.Fatal(err)
		}
		if o.Reaches() != allowed {
			t.Errorf("%v to %v, port %d/%v: matrix %v, trace %v", from, to, port.Number, port.Protocol, allowed, o.Verdict)
		}
		counts[allowed]++
	})
	if err != nil {
		t.Fatal(err)
	}
	if counts[true] < 1000 || counts[false] < 1000 {
		t.Errorf("%v: one answer hardly occurs", fmt.Sprint(counts))
	}
}
