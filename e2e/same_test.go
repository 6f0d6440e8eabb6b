package e2e_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/e2e/internal/agent"
	"github.com/planec/planec/e2e/internal/nftwatch"
)

var (
	getOptions    = metav1.GetOptions{}
	updateOptions = metav1.UpdateOptions{}
)

// same holds the rules against what the cluster says now: an agent that starts
// with nothing in mind, lists everything and compares it with the kernel, finds
// nothing to do.
func (s *stand) same(t *testing.T, a *agent.Agent) {
	t.Helper()
	if a.Running() {
		must(t, a.Kill())
	}
	kernel := nftwatch.Start(t, s.node)
	start(t, a)
	time.Sleep(pause)
	transactions, objects, err := kernel.Count()
	must(t, err)
	if steps := values(t, a).Sum(agent.Steps); steps > 0 || transactions > 0 {
		t.Errorf("the rules were not what the cluster says: %v steps, %d transactions with %d changes", steps, transactions, objects)
	}
}
