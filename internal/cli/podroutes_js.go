package cli

import (
	"errors"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/review/compare"
	"github.com/planec/planec/ir/diag"
)

// The program of a page, whose size is bounded, has no room for pod routes.

const podRoutesName = "podroutes"

func (l *loaded) routesOf(string) (backends.Artifact, diag.List) { return backends.Artifact{}, nil }

func readPodRoutes(string) (compare.RuleSet, error) {
	return compare.RuleSet{}, inputError(errors.New("a page reads no pod routes"))
}

func (s *diffSide) hasPodRoutes() bool { return false }
