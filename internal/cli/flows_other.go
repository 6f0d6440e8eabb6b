//go:build !linux && !js

package cli

import (
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/ir"
)

func (*target) endFlows(*Streams, *applier.Applier, string, *ir.Program) error { return nil }
