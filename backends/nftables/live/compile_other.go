//go:build !linux

package live

import "errors"

// compile is for Linux only: what a rule is made of has no numbers elsewhere.
func (t *Table) compile(string) (*Rule, error) {
	return nil, errors.New("rules of nftables are for Linux")
}
