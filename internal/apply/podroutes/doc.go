// Package podroutes is the way from objects to a kernel's pod routes, for commands and the
// agent: it completes the settings with what the kernel says of the node's addresses.
package podroutes

import (
	"errors"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir/podnet"
)

// ErrNoNode says that the Node whose kernel this is, is not among the objects: nothing can be
// said of its routes, and those that are there stay.
var ErrNoNode = errors.New("the node's Node is not there, so its pod routes stay as they are")

// Input says what the routes are made of.
type Input struct {
	Set      *objects.Set
	Node     string // the node's name
	Settings podnet.Settings
	Config   *objects.Config // the ranges of pods, and the egress masquerade
}

// Plan is what makes the kernel right.
type Plan struct {
	// Steps say what would change, in order; none if the kernel is right.
	Steps []string
	// Apply carries the plan out. What the kernel refuses prevents nothing else.
	Apply func() error
}
