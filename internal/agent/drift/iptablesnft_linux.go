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

// IPTablesNFT tells when another process changes what iptables' nft variant has of
// planec. Transactions of this process are made by iptables-restore, so that their
// port says nothing: they are those up to the generation of the ruleset that there was
// at [IPTablesNFT.Settled].
type IPTablesNFT struct {
	mu sync.Mutex
	// touched is the generation of the last transaction that touched planec's chains.
	touched, settled uint32
	// known is whether settled is there to compare with.
	known bool
}

// NewIPTablesNFT makes a watch; nothing is looked at before Run.
func NewIPTablesNFT() *IPTablesNFT { return &IPTablesNFT{} }

// Settled says that what the kernel has now is right.
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
	err := subscribe(ctx, log, func(kind uint16, _ uint32, data []byte) {
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

// differs reports whether planec's chains changed since it was right, once until it
// is right again. While our own transactions are on their way that may be said of
// them, and a comparison finds nothing.
func (w *IPTablesNFT) differs() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	// Generations are counted in 32 bits, and 0 is left out.
	if !w.known || w.touched == 0 || int32(w.touched-w.settled) <= 0 {
		return false
	}
	w.known = false
	return true
}

// transaction reads one transaction after the other.
type transaction struct{ touched bool }

// take reads one message. It returns the generation that a transaction made, and
// whether that touched planec's chains.
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

// The tables that have our chains, and the chains that lead to those.
var (
	xtTables = xtables.Tables()
	builtIn  = xtables.BuiltIn()
)

// touches reports whether a message is about one of planec's chains, or about one that may
// lead to ours.
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
