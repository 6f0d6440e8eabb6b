package drift

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/internal/base/nlattr"
)

// IPTablesNFT reports when another process changes planec's chains in
// iptables-nft. planec's own transactions come from iptables-restore, so their
// port does not identify them. Instead, all transactions up to the ruleset
// generation at the time of [IPTablesNFT.Settled] count as planec's own.
type IPTablesNFT struct {
	mu sync.Mutex
	// touched is the generation of the last transaction that touched planec's chains.
	touched, settled uint32
	// known is whether settled is valid.
	known bool
}

// NewIPTablesNFT returns a watch, which does nothing before Run.
func NewIPTablesNFT() *IPTablesNFT { return &IPTablesNFT{} }

// Settled declares the kernel's current state correct.
func (w *IPTablesNFT) Settled() {
	generation, err := live.Generation()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled, w.known = generation, err == nil
}

// Run watches until ctx ends, in the network namespace of the calling thread.
func (w *IPTablesNFT) Run(ctx context.Context, log *slog.Logger) (<-chan struct{}, error) {
	notices := make(chan struct{}, 1)
	t := &transaction{}
	_, err := subscribe(ctx, log, func(kind uint16, _ uint32, data []byte) {
		if generation, ours := t.take(kind, data); ours {
			w.mu.Lock()
			w.touched = generation
			w.mu.Unlock()
		}
	}, func() { tell(notices) })
	if err != nil {
		return nil, err
	}
	go poll(ctx, notices, w.differs)
	return notices, nil
}

// differs reports whether planec's chains have changed since Settled, once until
// the next Settled. It may also report planec's own transactions before they are
// settled; a comparison then finds no difference.
func (w *IPTablesNFT) differs() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Generations are 32-bit counters that skip 0.
	if !w.known || w.touched == 0 || int32(w.touched-w.settled) <= 0 {
		return false
	}
	w.known = false
	return true
}

// transaction collects the messages of one transaction after the other.
type transaction struct{ touched bool }

// take reads one message. At the end of a transaction it returns the generation,
// and whether the transaction touched planec's chains.
func (t *transaction) take(kind uint16, data []byte) (generation uint32, ours bool) {
	if kind>>8 != unix.NFNL_SUBSYS_NFTABLES || len(data) < nfgenmsgLen {
		return 0, false
	}
	attributes := data[nfgenmsgLen:]
	if kind&0xff != unix.NFT_MSG_NEWGEN {
		t.touched = t.touched || touches(kind&0xff, attributes)
		return 0, false
	}
	ours, t.touched = t.touched, false
	return nlattr.Uint32(nlattr.Get(attributes, unix.NFTA_GEN_ID)), ours
}

// The tables with planec's chains, and the built-in chains that jump to them.
var (
	xtTables = xtables.Tables()
	builtIn  = xtables.BuiltIn()
)

// touches reports whether a message concerns one of planec's chains, or a built-in
// chain that may jump to them.
func touches(kind uint16, attributes []byte) bool {
	if !slices.Contains(xtTables, nlattr.String(nlattr.Get(attributes, attrTable))) {
		return false
	}
	var chain string
	switch kind {
	case unix.NFT_MSG_DELTABLE:
		return true
	case unix.NFT_MSG_NEWCHAIN, unix.NFT_MSG_DELCHAIN:
		chain = nlattr.String(nlattr.Get(attributes, unix.NFTA_CHAIN_NAME))
	case unix.NFT_MSG_NEWRULE, unix.NFT_MSG_DELRULE:
		chain = nlattr.String(nlattr.Get(attributes, unix.NFTA_RULE_CHAIN))
	}
	return xtables.ChainRole(chain) != xtables.Foreign || slices.Contains(builtIn, chain)
}
