package drift

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/xtables/live"
)

// XTables tells when the size of iptables' legacy tables is not what it was after
// our last change; Settled says when that was. A change of the same size is not
// seen, and tables of the nft variant have no size to ask for.
type XTables struct {
	mu sync.Mutex
	// sockets are there while Run watches.
	sockets *sizes
	// known is what was right; nil is nothing to compare with.
	known []live.LegacyInfo
	log   *slog.Logger
}

// NewXTables makes a watch; nothing is looked at before Run.
func NewXTables() *XTables { return &XTables{} }

// Settled says that what the tables have now is right. It looks before it returns,
// so that what another program changes next is seen.
func (w *XTables) Settled() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sockets != nil {
		w.known = w.sockets.read(w.log)
	}
}

// Run watches until ctx ends, in the network namespace of the calling thread.
func (w *XTables) Run(ctx context.Context, log *slog.Logger) (<-chan struct{}, error) {
	sockets, err := newSizes()
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.sockets, w.log = sockets, log
	w.mu.Unlock()
	notices := make(chan struct{}, 1)
	go func() {
		defer w.stop()
		poll(ctx, notices, w.differs)
	}()
	return notices, nil
}

// differs looks at the tables. A difference is told once, until our next change is
// in.
func (w *XTables) differs() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known == nil || slices.Equal(w.sockets.read(w.log), w.known) {
		return false
	}
	w.known = nil
	return true
}

func (w *XTables) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sockets.close()
	w.sockets, w.known = nil, nil
}

// sizes asks both families.
type sizes struct{ families [2]family }

// family is a door to the tables of one family.
type family interface {
	Info(table string) (live.LegacyInfo, error)
	Close()
}

func newSizes() (*sizes, error) {
	s := &sizes{}
	for i := range s.families {
		door, err := live.OpenLegacy(i == 1)
		if err != nil {
			s.close()
			return nil, fmt.Errorf("watching iptables: %w", err)
		}
		s.families[i] = door
	}
	return s, nil
}

func (s *sizes) close() {
	for _, family := range s.families {
		if family != nil {
			family.Close()
		}
	}
}

// tables are those that have our chains. Asking for another would bring it into
// being, and packets would pass through it from then on.
var tables = []string{"filter", "nat"}

func (s *sizes) read(log *slog.Logger) []live.LegacyInfo {
	var all []live.LegacyInfo
	for _, family := range s.families {
		for _, table := range tables {
			info, err := family.Info(table)
			// A table that is not there has nothing of planec.
			if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOPROTOOPT) && !errors.Is(err, unix.EINVAL) {
				log.Debug("asking for the size of a table", "table", table, "error", err)
			}
			all = append(all, info)
		}
	}
	return all
}
