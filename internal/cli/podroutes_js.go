package cli

import (
	"errors"

	"github.com/planec/planec/internal/review/compare"
)

// The program of a page, whose size is bounded, has no room for pod routes.

const podRoutesName = "podroutes"

func (l *loaded) routes() {}

func readPodRoutes(string) (compare.RuleSet, error) {
	return compare.RuleSet{}, inputError(errors.New("a page reads no pod routes"))
}
