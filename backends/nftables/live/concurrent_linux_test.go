package live

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/text/nft"
)

// beside runs f again and again on another thread in the rig's namespace, until
// the function that it returns is called.
func (r *rig) beside(f func() error) (stop func()) {
	var over atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends
		if err := unix.Setns(int(r.NodeNamespace().Fd()), unix.CLONE_NEWNET); err != nil {
			r.t.Error(err)
			return
		}
		for !over.Load() {
			if err := f(); err != nil {
				r.t.Error(err)
				return
			}
		}
	})
	return func() { over.Store(true); wg.Wait() }
}

// chatter changes another table every few milliseconds.
func (r *rig) chatter() (stop func()) {
	r.nft("table ip foreign {\n}\n")
	n := 0
	return r.beside(func() error {
		n++
		time.Sleep(5 * time.Millisecond)
		c, err := dial()
		if err != nil {
			return err
		}
		defer c.close()
		var w writer
		w.end(w.message(msgBatchBegin, 0, 0, subsysNFTables))
		at := w.nft(msgNewChain, flagCreate, nft.IPv4)
		w.str(chainTable, "foreign")
		w.str(chainName, fmt.Sprintf("c%d", n%1000))
		w.end(at)
		w.end(w.message(msgBatchEnd, 0, 0, subsysNFTables))
		return c.send(w.b)
	})
}

// churn changes a foreign table as fast as the kernel lets it: chains come, which
// are listed before planec's, and go again. It counts the transactions.
func (r *rig) churn(count *atomic.Int64) (stop func()) {
	r.nft("table ip aforeign {\n}\n")
	var c *conn
	n := 0
	end := r.beside(func() (err error) {
		if c == nil {
			if c, err = dial(); err != nil {
				return err
			}
		}
		kind, flags := uint16(msgNewChain), uint16(flagCreate)
		if n%2 == 1 {
			kind, flags = msgDelChain, 0
		}
		var w writer
		w.end(w.message(msgBatchBegin, 0, 0, subsysNFTables))
		at := w.nft(kind, flags, nft.IPv4)
		w.str(chainTable, "aforeign")
		w.str(chainName, fmt.Sprintf("c%d", n/2%100))
		w.end(at)
		w.end(w.message(msgBatchEnd, 0, 0, subsysNFTables))
		n++
		count.Add(1)
		return c.send(w.b)
	})
	return func() { end(); c.close() }
}

// TestForeignChurn reads, plans, applies and cleans beside foreign transactions that
// never stop: those are no reason to read again, and none to give up.
func TestForeignChurn(t *testing.T) {
	r := newRig(t)
	rng := rand.New(rand.NewPCG(20, 4))
	var foreign atomic.Int64
	stop := r.churn(&foreign)
	defer stop()
	var want *Model
	for range 15 {
		p := irtest.RandomProgram(rng)
		irtest.AddRandomDialects(rng, p)
		want = parse(t, string(emit(t, p)))
		r.apply(Diff(r.observe(), want))
		r.verify(want)
	}
	before := foreign.Load()
	for range 15 {
		r.verify(want)
	}
	// From what is held, as the agent does, nothing is read, and nothing refused.
	held := NewLive(want)
	for range 15 {
		p, err := held.Replace(emit(t, irtest.RandomProgram(rng)))
		if err != nil {
			t.Fatal(err)
		}
		r.apply(p)
		held.Commit(p)
	}
	r.verify(held.Model())
	r.clean()
	r.verify(&Model{})
	t.Logf("%d foreign transactions, %d of them beside readings and changes", foreign.Load(), foreign.Load()-before)
	if foreign.Load()-before < 100 {
		t.Error("next to nothing was changed by others")
	}
}

// TestOwnChange changes planec's table while it is read, beside foreign transactions: what
// is returned has every change.
func TestOwnChange(t *testing.T) {
	r := newRig(t)
	want := parse(t, string(emit(t, irtest.KitchenSink())))
	r.apply(Diff(r.observe(), want))
	var foreign atomic.Int64
	stop := r.churn(&foreign)
	defer stop()
	const changes = 3
	done := 0
	var s *State
	r.do(func() (err error) {
		s, err = observe(t.Context(), func(o *observer, table *Table) error {
			if err := o.table(table); err != nil || table.Family != nft.IPv4 || done == changes {
				return err
			}
			done++
			return addChain(fmt.Sprintf("odd%d", done))
		})
		return err
	})
	for i := range changes {
		if name := fmt.Sprintf("odd%d", i+1); s.Model.Table(nft.IPv4).Chain(name) == nil {
			t.Errorf("chain %s was not read", name)
		}
	}
}

// addChain adds a chain to planec's table.
func addChain(name string) error {
	c := &tableChange{family: nft.IPv4, newChains: []*Chain{{Name: name}}}
	return (&Plan{changes: []*tableChange{c}}).send()
}

// TestRestart applies while others change the ruleset: each time the kernel says
// that a plan is out of date it is made again.
func TestRestart(t *testing.T) {
	r := newRig(t)
	rng := rand.New(rand.NewPCG(9, 9))
	stop := r.chatter()
	for range 50 {
		want := parse(t, string(emit(t, irtest.RandomProgram(rng))))
		p := diffModels(&Model{}, want)
		p.observed, p.generation = true, 1 // always out of date
		r.do(func() error {
			if first := p.send(); !errors.Is(first, unix.ERESTART) {
				return fmt.Errorf("an old plan: %w", errors.Join(errors.New("not refused"), first))
			}
			return Apply(t.Context(), p)
		})
	}
	stop()
	want := parse(t, string(emit(t, irtest.KitchenSink())))
	r.apply(Diff(r.observe(), want))
	r.verify(want)
}

// TestWhole reads all the time while two programs replace each other: a reader
// sees one or the other, also beside foreign transactions.
func TestWhole(t *testing.T) {
	t.Run("alone", func(t *testing.T) { whole(t, newRig(t), 300) })
	t.Run("beside foreign transactions", func(t *testing.T) {
		r := newRig(t)
		var foreign atomic.Int64
		stop := r.churn(&foreign)
		defer stop()
		whole(t, r, 100)
	})
}

func whole(t *testing.T, r *rig, changes int) {
	rng := rand.New(rand.NewPCG(4, 4))
	a, b := irtest.RandomProgram(rng), irtest.RandomProgram(rng)
	irtest.AddRandomDialects(rng, b)
	wants := []*Model{parse(t, string(emit(t, a))), parse(t, string(emit(t, b)))}
	r.apply(Diff(r.observe(), wants[0]))
	var reads [2]int
	stop := r.beside(func() error {
		s, err := Observe(t.Context())
		if errors.Is(err, ErrBusy) {
			return nil
		}
		if err != nil {
			return err
		}
		for i, want := range wants {
			if onlyRemains(Diff(s, want)) {
				reads[i]++
				return nil
			}
		}
		return fmt.Errorf("half of it:\n%s", strings.Join(Diff(s, wants[0]).Steps(), "\n"))
	})
	for i := range changes {
		r.apply(diffModels(wants[i%2], wants[(i+1)%2]))
		if i%10 == 0 {
			r.do(func() error { _, err := Observe(t.Context()); return err })
		}
	}
	stop()
	t.Logf("read %d times one and %d times the other", reads[0], reads[1])
	if reads[0]+reads[1] == 0 {
		t.Error("nothing was read")
	}
}

// onlyRemains reports whether a plan only removes what no packet comes to: while a
// change is in its stages, what is new is there before, and what is old after it.
func onlyRemains(p *Plan) bool {
	for _, c := range p.changes {
		if c.remove || c.create || len(c.newChains)+len(c.newSets)+len(c.rules) > 0 {
			return false
		}
		for _, x := range c.elems {
			if x.set.role != nftables.ProfileRows || x.added() > 0 {
				return false
			}
		}
	}
	return true
}
