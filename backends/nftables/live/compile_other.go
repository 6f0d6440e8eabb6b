//go:build !linux

package live

import (
	"errors"

	"github.com/planec/planec/internal/text/nft"
)

// compile works on Linux only: other systems lack the numbers of expressions.
func compile(nft.Family, *nft.Rule) (*Rule, error) {
	return nil, errors.New("rules of nftables are for Linux")
}

// kept is a socket on Linux.
type kept struct{}
