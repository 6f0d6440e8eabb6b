package loop

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/agent/localport"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Observer is told what the agent does. Calls come one at a time.
type Observer interface {
	// Queued says that changes wait since then; the zero time is nothing waits.
	Queued(count int, since time.Time)
	// Applied says that the kernel is what the objects say now.
	Applied(Round)
	// Failed says that it is not, and why.
	Failed(err error)
	// Drifted says what another process had changed and the agent restored.
	Drifted(steps []string)
	// Verified says that a whole comparison found nothing.
	Verified(took time.Duration)
	// Diagnosed gets everything there is to say about the objects, whenever it
	// changes.
	Diagnosed(diag.List)
	// GivenUp says how many objects are refused or closed because they cannot be
	// enforced.
	GivenUp(count int)
	// Nodes gets the Node objects whenever objects of other kinds than Services
	// and slices change.
	Nodes([]objects.Sourced[*corev1.Node])
	// Checks gets the health checks of Services, whenever they change.
	Checks([]ir.HealthCheck, ir.NodePortScope)
	// LoopbackPorts gets the nodePorts that are to be served on loopback addresses,
	// whenever one of them may have changed.
	LoopbackPorts([]localport.Port)
	// Serves gets how many Services and policies the rules are of, whenever they
	// change.
	Serves(services, policies int)
	// NoLocal gets how many frontends drop for want of a local endpoint.
	NoLocal(internal, external int)
	// FlowsEnded says how many connections were removed.
	FlowsEnded(count int, took time.Duration)
}

// Round is one change of the kernel.
type Round struct {
	// Services and Slices count the changes of objects in it.
	Services, Slices int
	// Whole is whether the kernel was read and compared, for want of a shorter
	// way.
	Whole bool
	// Steps is how many steps the plan had.
	Steps int
	// Took is the time from taking the changes to the kernel's acknowledgement;
	// Waited that from the first change to its taking.
	Took, Waited time.Duration
	// Triggers are when what caused the changes happened, where objects say so.
	Triggers []time.Time
}
