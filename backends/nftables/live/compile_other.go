//go:build !linux

package live

import (
	"errors"

	"github.com/planec/planec/internal/text/nft"
)

// compile is for Linux only: what a rule is made of has no numbers elsewhere.
func compile(nft.Family, *nft.Rule) (*Rule, error) {
	return nil, errors.New("rules of nftables are for Linux")
}
