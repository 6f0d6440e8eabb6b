package layer2

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// world is a simulation: nodes whose requests take time and get lost, one clock, and an API
// server. One node runs at a time; which one goes on is chosen at each request.
type world struct {
	*rand.Rand
	now     time.Time
	records map[string]Record
	version int
	nodes   []*node
	// history has the states of each claim that a watch may still show.
	history map[string][]Record
}

type node struct {
	*world
	name    string
	elector *Elector
	wants   []Want
	resume  chan bool // false ends the node
	parked  chan struct{}
	cut     bool // its requests fail
	dead    bool
	seen    map[string]int // what its watch has shown of each claim
}

var errCut = errors.New("no answer")

// park lets others run for a while. A node that is killed does not return.
func (n *node) park() {
	n.parked <- struct{}{}
	if !<-n.resume {
		panic(errCut)
	}
}

func (n *node) Get(_ context.Context, name string) (Record, error) {
	n.park()
	if n.cut {
		return Record{}, errCut
	}
	r := n.records[name]
	n.park()
	return r, nil
}

func (n *node) Put(_ context.Context, name string, r Record) (Record, error) {
	n.park()
	if n.cut {
		return Record{}, errCut
	}
	if n.records[name].Version != r.Version {
		n.park()
		return Record{}, ErrConflict
	}
	n.version++
	r.Version = strconv.Itoa(n.version)
	n.records[name] = r
	n.history[name] = append(n.history[name], r)
	n.park()
	if n.IntN(20) == 0 {
		return Record{}, errCut // it was written, and the answer is lost
	}
	return r, nil
}

// Claim shows an old state now and then, and never an older one than before.
func (n *node) Claim(name string) Record {
	h := n.history[name]
	if len(h) == 0 {
		return Record{}
	}
	for n.seen[name] < len(h) && n.IntN(3) > 0 {
		n.seen[name]++
	}
	if n.seen[name] == 0 {
		return Record{}
	}
	return h[n.seen[name]-1]
}

func (n *node) Claims(node string) map[string]Record {
	out := make(map[string]Record)
	for name := range n.history {
		if r := n.Claim(name); r.Holder == node && !strings.HasPrefix(name, nodeLease("")) {
			out[name] = r
		}
	}
	return out
}

func (n *node) run() {
	defer func() {
		if r := recover(); r != nil && r != any(errCut) {
			panic(r)
		}
		n.dead = true
		n.parked <- struct{}{}
	}()
	if !<-n.resume {
		return
	}
	for {
		_, _ = n.elector.Step(context.Background(), n.wants) // the next step tries again
		n.park()
	}
}

func newWorld(seed uint64, nodes int, addresses []netip.Addr) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 7)), now: time.Unix(1000, 0), records: make(map[string]Record), history: make(map[string][]Record)}
	var names []string
	for i := range nodes {
		names = append(names, fmt.Sprintf("node-%d", i))
	}
	for _, name := range names {
		n := &node{world: w, name: name, resume: make(chan bool), parked: make(chan struct{}), seen: make(map[string]int)}
		n.elector = &Elector{Node: name, Store: n, Duration: 2 * time.Second, Now: func() time.Time { return w.now }}
		for _, a := range addresses {
			n.wants = append(n.wants, Want{a, names})
		}
		w.nodes = append(w.nodes, n)
		go n.run()
	}
	return w
}

// step lets one node run until its next request.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(w.IntN(60)) * time.Millisecond)
	alive := slices.DeleteFunc(slices.Clone(w.nodes), func(n *node) bool { return n.dead })
	if len(alive) == 0 {
		return
	}
	n := alive[w.IntN(len(alive))]
	n.resume <- true
	<-n.parked
}

// kill ends a node between two instructions.
func (w *world) kill(n *node) {
	n.resume <- false
	<-n.parked
}

func (w *world) close() {
	for _, n := range w.nodes {
		if !n.dead {
			w.kill(n)
		}
	}
}

// speakers are the nodes that answer for an address now. A node that was killed answers
// nothing; what it would answer is asked too, for a process that only hangs.
func (w *world) speakers(a netip.Addr) (out []string) {
	for _, n := range w.nodes {
		if n.elector.Holds(a) {
			out = append(out, n.name)
		}
	}
	return out
}

// TestOneSpeaker runs random histories with requests that are slow, fail or lose their answers,
// watches that lag, nodes that die, hang and lose their connection, and candidates that change:
// never do two nodes answer for one address, and in the end one does.
func TestOneSpeaker(t *testing.T) {
	addresses := []netip.Addr{address4, address6}
	histories, spoken, changes := 400, 0, 0
	if testing.Short() {
		histories = 50
	}
	for seed := range uint64(histories) {
		w := newWorld(seed, 4, addresses)
		last := make(map[netip.Addr]string)
		look := func() {
			for _, a := range addresses {
				s := w.speakers(a)
				if len(s) > 1 {
					t.Fatalf("seed %d: %v answer for %v", seed, s, a)
				}
				if len(s) == 1 {
					spoken++
					if s[0] != last[a] {
						changes++
					}
					last[a] = s[0]
				}
			}
		}
		for range 3000 {
			w.step()
			look()
			n := w.nodes[w.IntN(len(w.nodes))]
			switch w.IntN(400) {
			case 0:
				n.cut = !n.cut
			case 1: // it hangs, or the machine does
				w.now = w.now.Add(time.Duration(w.IntN(4000)) * time.Millisecond)
				look()
			case 2:
				if w.IntN(4) == 0 && !n.dead && n.name != "node-0" {
					w.kill(n)
				}
			case 3:
				n.wants = n.wants[:w.IntN(len(addresses)+1)]
			case 4:
				n.wants = slices.Clone(w.nodes[0].wants[:cap(w.nodes[0].wants)][:len(addresses)])
			}
		}
		for _, n := range w.nodes {
			n.cut = false
		}
		w.nodes[0].wants = w.nodes[0].wants[:len(addresses)]
		for i := 0; i < 4000 && (len(w.speakers(address4)) == 0 || len(w.speakers(address6)) == 0); i++ {
			w.step()
			look()
		}
		for _, a := range addresses {
			if len(w.speakers(a)) != 1 {
				t.Fatalf("seed %d: no node answers for %v at last: %+v", seed, a, w.records)
			}
		}
		w.close()
	}
	t.Logf("%d looks at an address that a node answers for, %d changes of the node", spoken, changes)
	if changes < 2*histories {
		t.Errorf("only %d changes", changes)
	}
}

// TestTwoSpeakersAreSeen has a node that counts itself as alive for longer than the others do:
// the histories must show it.
func TestTwoSpeakersAreSeen(t *testing.T) {
	for seed := range uint64(50) {
		w := newWorld(seed, 3, []netip.Addr{address4})
		defer w.close()
		w.nodes[0].elector.Duration = 20 * time.Second
		for range 3000 {
			if w.step(); w.IntN(300) == 0 {
				w.nodes[0].cut = !w.nodes[0].cut
			}
			if len(w.speakers(address4)) > 1 {
				return
			}
		}
	}
	t.Error("no history has two nodes that answer")
}
