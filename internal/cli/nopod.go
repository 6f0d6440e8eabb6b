package cli

import (
	"fmt"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/base/suggest"
	"github.com/planec/planec/internal/review/netpath"
)

// noPodError says that no pod has a name, and what to write instead: matrix prints workloads,
// whose pods may be on several nodes and so see other rules.
type noPodError struct {
	// service is "svc/namespace/name" of a Service that has the name, or "".
	service string
	// pods are those of a workload that has the name.
	pods []string
	// typo suggests a pod of nearly the name, or is "".
	typo string
}

func (l *loaded) noPod(of objects.Name, known []string) *noPodError {
	e := &noPodError{typo: suggest.DidYouMean(of.String(), known)}
	// Suggest a Service only if it resolves.
	if _, err := l.endAtService(of); err == nil {
		e.service = "svc/" + of.String()
	}
	for _, p := range netpath.Pods(&l.objects) {
		if p.Namespace == of.Namespace && p.Workload == of.Name {
			e.pods = append(e.pods, p.String())
		}
	}
	return e
}

// Error names what has the name, and the first pods.
func (e *noPodError) Error() string {
	var has string
	meant := e.pods
	switch n := len(e.pods); {
	case e.service == "" && n == 0:
		return "the input has no such pod" + e.typo
	case n == 0:
		has = "a Service"
	case n == 1:
		has = "a workload of 1 pod"
	default:
		has = fmt.Sprintf("a workload of %d pods", n)
	}
	if e.service != "" {
		meant = append([]string{e.service}, e.pods...)
		if len(e.pods) > 0 {
			has = "a Service and " + has
		}
	}
	return fmt.Sprintf("the input has no such pod, but %s: did you mean %s?", has, suggest.Or(meant))
}
