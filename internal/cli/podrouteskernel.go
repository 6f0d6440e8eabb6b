//go:build !js

package cli

import (
	"errors"
	"fmt"

	"github.com/planec/planec/internal/apply/podroutes"
	"github.com/planec/planec/ir/podnet"
)

// wantsRoutes is the input of a kernel's pod routes, or nil if they are off.
func (l *loaded) wantsRoutes(node string) *podroutes.Input {
	if l.podRoutes.Mode == podnet.Off {
		return nil
	}
	return &podroutes.Input{Set: &l.objects, Node: node, Settings: l.podRoutes, Config: &l.given}
}

// routeSteps compares the kernel's pod routes with the manifests, and reports what was found.
func (c *compiled) routeSteps() ([]string, error) {
	return c.withRoutes(func(*podroutes.Plan) error { return nil })
}

// putRoutes makes the kernel's pod routes right. Policies are in by then.
func (c *compiled) putRoutes() ([]string, error) {
	return c.withRoutes(func(p *podroutes.Plan) error {
		if err := p.Apply(); err != nil {
			return systemError(fmt.Errorf("pod routes: %w", err))
		}
		return nil
	})
}

func (c *compiled) withRoutes(do func(*podroutes.Plan) error) ([]string, error) {
	if c.routes == nil {
		return nil, nil
	}
	r, err := podroutes.Open()
	if err != nil {
		return nil, systemError(err)
	}
	defer r.Close()
	p, diags, err := r.Plan(*c.routes)
	if err := c.report(diags); err != nil {
		return nil, err
	}
	if errors.Is(err, podroutes.ErrNoNode) {
		return nil, inputError(err)
	}
	if err != nil {
		return nil, systemError(err)
	}
	return p.Steps, do(p)
}

// cleanRoutes removes planec's pod routes from this kernel.
func cleanRoutes() ([]string, error) {
	return withoutRoutes(func(p *podroutes.Plan) error { return p.Apply() })
}

// routesToClean says what cleanRoutes would remove.
func routesToClean() ([]string, error) {
	return withoutRoutes(func(*podroutes.Plan) error { return nil })
}

func withoutRoutes(do func(*podroutes.Plan) error) ([]string, error) {
	r, err := podroutes.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p, err := r.Clean()
	if err != nil {
		return nil, err
	}
	return p.Steps, do(p)
}
