package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/internal/text/nft"
)

// Hooks of NF_INET_FORWARD and NF_INET_LOCAL_IN, as [BaseChain] numbers them.
const (
	HookInput   = 1
	HookForward = 2
)

// familyINet is NFPROTO_INET. Its chains see both families.
const familyINet nft.Family = 1

// BaseChain is a chain with a netfilter hook, in any table.
type BaseChain struct {
	// Family is "ip", "ip6" or "inet". Table and Name are the table's and the chain's name.
	Family, Table, Name string
	// Type is "filter", "nat" or "route".
	Type string
	Hook uint32 // the hook's number (NF_INET_*)
	// Drops reports that the chain's policy is drop: unmatched packets are dropped.
	Drops bool
}

// BaseChains lists the base chains of all tables in the network namespace of the
// calling thread.
func BaseChains(ctx context.Context) ([]BaseChain, error) {
	c, err := dial()
	if err != nil {
		return nil, fmt.Errorf("listing chains of nftables: %w", err)
	}
	defer c.close()
	for i := range attempts {
		if err := pause(ctx, i); err != nil {
			return nil, err
		}
		list, err := c.baseChains()
		if errors.Is(err, errInterrupted) || isPassing(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("listing chains of nftables: %w", explain(err))
		}
		return list, nil
	}
	return nil, fmt.Errorf("listing chains of nftables: %w", ErrBusy)
}

func (c *conn) baseChains() (list []BaseChain, err error) {
	c.interrupted = false
	for _, f := range []struct {
		family nft.Family
		name   string
	}{{nft.IPv4, "ip"}, {nft.IPv6, "ip6"}, {familyINet, "inet"}} {
		err := c.dump(msgGetChain, flagDump, f.family, nil, func(body []byte) error {
			if chain := readChain(body); chain.Type != "" {
				list = append(list, BaseChain{
					Family: f.name, Table: nlattr.String(nlattr.Get(body, chainTable)), Name: chain.Name, Type: chain.Type,
					Hook: chain.Hook, Drops: chain.Policy == 0, // NF_DROP
				})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if c.interrupted {
		return nil, errInterrupted
	}
	return list, nil
}
