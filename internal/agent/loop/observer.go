package loop

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/agent/localport"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Observer receives the events of the agent. Calls are sequential.
type Observer interface {
	// Queued reports that changes have been waiting since then; zero time: none wait.
	Queued(count int, since time.Time)
	// Applied reports that the kernel now matches the objects.
	Applied(Round)
	// Failed reports why the kernel does not match the objects.
	Failed(err error)
	// Drifted reports the steps that restored rules after another process changed them.
	Drifted(steps []string)
	// Verified reports that a full comparison found no difference.
	Verified(took time.Duration)
	// Diagnosed receives all findings about the objects whenever they change.
	Diagnosed(diag.List)
	// GivenUp receives the number of objects that cannot be enforced and are
	// refused or closed.
	GivenUp(count int)
	// Nodes receives the Node objects whenever objects other than Services and
	// slices change.
	Nodes([]objects.Sourced[*corev1.Node])
	// Checks receives the health checks of Services whenever they change.
	Checks([]ir.HealthCheck, ir.NodePortScope)
	// LoopbackPorts receives the nodePorts to serve on loopback addresses whenever
	// one of them may have changed.
	LoopbackPorts([]localport.Port)
	// Serves receives the numbers of Services and policies in the rules whenever
	// they change.
	Serves(services, policies int)
	// NoLocal receives the number of frontends that drop because no endpoint is local.
	NoLocal(internal, external int)
	// FlowsEnded receives the number of removed connections.
	FlowsEnded(count int, took time.Duration)
}

// Round is one change of the kernel.
type Round struct {
	// Services and Slices are the numbers of changed objects.
	Services, Slices int
	// Whole is whether the kernel was read and compared, because no incremental
	// update was possible.
	Whole bool
	// Steps is the number of steps of the plan.
	Steps int
	// Took is the time from taking the changes to the kernel's acknowledgement;
	// Waited is the time from the first change until the changes were taken.
	Took, Waited time.Duration
	// Triggers are the times of the causes of the changes, if the objects contain them.
	Triggers []time.Time
}
