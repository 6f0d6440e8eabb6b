package cli

import (
	"fmt"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/internal/review/netpath"
)

// noPod says that no pod has a name, and what to write instead: a Service if it is a destination,
// and the pods of a workload, which matrix prints. These may be on several nodes, and so meet
// other rules.
func (l *loaded) noPod(of objects.Name, known []string, destination bool) error {
	var has string
	var meant []string
	for _, p := range netpath.Pods(&l.objects) {
		if p.Namespace == of.Namespace && p.Workload == of.Name {
			meant = append(meant, p.String())
		}
	}
	switch n := len(meant); {
	case n == 1:
		has = "a workload of 1 pod"
	case n > 1:
		has = fmt.Sprintf("a workload of %d pods", n)
	}
	// Suggest a Service only if it resolves.
	if _, err := l.endAtService(of); err == nil && destination {
		if meant = append([]string{"svc/" + of.String()}, meant...); has != "" {
			has = " and " + has
		}
		has = "a Service" + has
	}
	if has == "" {
		return fmt.Errorf("the input has no such pod%s", suggest.DidYouMean(of.String(), known))
	}
	return fmt.Errorf("the input has no such pod, but %s: did you mean %s?", has, suggest.Or(meant))
}
