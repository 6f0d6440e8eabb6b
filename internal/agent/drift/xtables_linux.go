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

// XTables reports when the size of iptables' legacy tables changes after Settled.
// It does not detect a change that keeps the size, and it cannot watch tables of
// the nft variant, which have no size.
type XTables struct {
	mu sync.Mutex
	// sockets is set while Run watches.
	sockets *sizes
	// known are the sizes at the last Settled; nil disables the comparison.
	known []live.LegacyInfo
	log   *slog.Logger
}

// NewXTables returns a watch, which does nothing before Run.
func NewXTables() *XTables { return &XTables{} }

// Settled declares the current tables correct. It reads their sizes before it
// returns, so that the next change of another program is detected.
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

// differs reads the sizes of the tables. It reports a difference once until the
// next Settled.
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

// sizes reads the tables of both families.
type sizes struct{ families [2]family }

// family reads the tables of one family.
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

// tables are the tables with planec's chains. Reading another table would create
// it, and packets would pass through it from then on.
var tables = []string{"filter", "nat"}

func (s *sizes) read(log *slog.Logger) []live.LegacyInfo {
	var all []live.LegacyInfo
	for _, family := range s.families {
		for _, table := range tables {
			info, err := family.Info(table)
			// A missing table contains nothing of planec.
			if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOPROTOOPT) && !errors.Is(err, unix.EINVAL) {
				log.Debug("asking for the size of a table", "table", table, "error", err)
			}
			all = append(all, info)
		}
	}
	return all
}
