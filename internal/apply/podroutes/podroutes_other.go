//go:build !linux

package podroutes

import (
	"errors"

	"github.com/planec/planec/ir/diag"
)

// Routes are those of a kernel, which only Linux has.
type Routes struct{}

// Open is an error: only Linux has these routes.
func Open() (*Routes, error) { return nil, errors.New("pod routes: only Linux has them") }

// Close does nothing.
func (*Routes) Close() {}

// Plan cannot be called: Open fails.
func (*Routes) Plan(Input) (*Plan, diag.List, error) { return &Plan{}, nil, nil }

// Clean cannot be called: Open fails.
func (*Routes) Clean() (*Plan, error) { return &Plan{}, nil }
