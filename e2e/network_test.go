package e2e_test

import (
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/flaky"
	"github.com/planec/planec/e2e/internal/traffic"
)

// TestNetwork has a bad network between the agent and the API server: events come
// late, and watches break off, so that what was seen is listed or sent again.
func TestNetwork(t *testing.T) {
	s := newStand(t, tools...)
	first := s.serve(t, "first", "10.96.0.10")
	o := s.agentOptions(t, "nftables")
	network := flaky.Start(t, s.node, s.Endpoint())
	var err error
	o.Kubeconfig, err = s.Through(o.Kubeconfig, network.Address())
	must(t, err)
	a := agent.New(t, s.node, o)
	start(t, a)

	load := traffic.Start(t, s.rig, fromAll(first)...)
	for begin, i := time.Now(), 0; time.Since(begin) < 8*time.Second; i++ {
		name, slices := "changing", s.Client().DiscoveryV1().EndpointSlices("default")
		if i == 0 {
			s.serve(t, name, "10.96.0.20")
		}
		slice, err := slices.Get(t.Context(), name+"-e2e", getOptions)
		must(t, err)
		slice.Endpoints[0].Addresses[0] = []string{"10.1.7.1", "10.1.7.2"}[i%2]
		_, err = slices.Update(t.Context(), slice, updateOptions)
		must(t, err)
		time.Sleep(20 * time.Millisecond)
	}
	network.Mend()
	served(within(t, time.Minute), t, load, s.serve(t, "after", "10.96.0.11"))
	perfect(t, load)
	connections, cuts := network.Count()
	t.Logf("%d connections to the API server, %d of them broken off", connections, cuts)
	if cuts < 3 {
		t.Error("the network was not bad at all")
	}
	s.same(t, a)
}
