package vethtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"testing"
	"time"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/bpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// What a program returns (TCX_NEXT, TC_ACT_SHOT, TC_ACT_REDIRECT). An answer to a denied packet is
// sent on its way.
const (
	next     = 1<<32 - 1
	shot     = 2
	answered = 7
)

// Hooks are the programs of one node, with maps of their own.
type Hooks struct {
	collection *ebpf.Collection
	pins       *live.Pins
	current    *ir.Program // whose image is active
	// logs are the prefixes of the active image.
	logs map[layout.LogKey]string
	// Answered is whether the last packet was denied with an answer.
	Answered bool
}

// New loads the programs, with the maps of an empty image. Every packet is counted; other
// switches are on if they are named.
func New(t testing.TB, switches ...string) *Hooks {
	t.Helper()
	dir := testkit.BPFFS(t)
	h := &Hooks{pins: live.NewPins(dir)}
	if err := h.Put(&ir.Program{Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectNone}}}); err != nil {
		t.Fatal(err)
	}
	spec, err := bpf.LoadVeth()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(switches, "count_all") {
		if err := spec.Variables[name].Set(true); err != nil {
			t.Fatal(err)
		}
	}
	pinned := make(map[string]*ebpf.Map)
	for name := range spec.Maps {
		if name[0] == '.' {
			continue // constants
		}
		m, err := ebpf.LoadPinnedMap(dir+"/"+name, nil)
		if errors.Is(err, fs.ErrNotExist) {
			continue // what programs remember
		}
		if err != nil {
			t.Fatalf("map %s: %v", name, err)
		}
		defer m.Close()
		pinned[name] = m
	}
	h.collection, err = ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: pinned})
	if err != nil {
		t.Fatalf("%+v", err)
	}
	t.Cleanup(h.collection.Close)
	return h
}

// Put makes a program's image the active one.
func (h *Hooks) Put(p *ir.Program) error {
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		return err
	}
	have, err := h.pins.Observe(context.Background())
	if err != nil {
		return err
	}
	h.current, h.logs = p, make(map[layout.LogKey]string)
	logs := img.Map(layout.Logs)
	for i := range logs.Len() {
		h.logs[layout.DecodeLogKey(logs.Key(i))] = layout.DecodeLogPrefix(logs.Value(i))
	}
	return h.pins.Apply(context.Background(), live.NewPlan(have, img))
}

// Logged returns the prefixes with which packets were counted since the last call, once
// for each packet.
func (h *Hooks) Logged() (out []string, err error) {
	if len(h.logs) == 0 {
		return nil, nil
	}
	m := h.collection.Maps["plc_logged"]
	err = eachEntry(m, func(key, value []byte) error {
		prefix, known := h.logs[layout.DecodeLogKey(key)]
		if !known {
			return fmt.Errorf("log %x is not in the image", key)
		}
		for range binary.LittleEndian.Uint64(value) {
			out = append(out, prefix)
		}
		return m.Delete(key)
	})
	return out, err
}

// Forget removes all legs and fragments.
func (h *Hooks) Forget() error {
	for _, name := range []string{"plc_legs", "plc_parts"} {
		m := h.collection.Maps[name]
		if err := eachEntry(m, func(key, _ []byte) error { return m.Delete(key) }); err != nil {
			return err
		}
	}
	return nil
}

// Age makes all legs and fragments older. The time of both is the begin of their values.
func (h *Hooks) Age(by time.Duration) error {
	for _, name := range []string{"plc_legs", "plc_parts"} {
		m := h.collection.Maps[name]
		err := eachEntry(m, func(key, value []byte) error {
			binary.LittleEndian.PutUint64(value, binary.LittleEndian.Uint64(value)-uint64(by))
			return m.Put(key, value)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachEntry calls f with copies of all entries.
func eachEntry(m *ebpf.Map, f func(key, value []byte) error) error {
	var entries [][2][]byte
	var key, value []byte
	it := m.Iterate()
	for it.Next(&key, &value) {
		entries = append(entries, [2][]byte{bytes.Clone(key), bytes.Clone(value)})
	}
	if err := it.Err(); err != nil {
		return err
	}
	for _, e := range entries {
		if err := f(e[0], e[1]); err != nil {
			return err
		}
	}
	return nil
}

// From runs from_pod on what a pod sends, and reports whether it passes.
func (h *Hooks) From(data []byte) (bool, error) { return h.run("from_pod", data, 1) }

// To runs to_pod on what a pod is sent, by the node itself or from elsewhere.
func (h *Hooks) To(data []byte, node bool) (bool, error) {
	from := uint32(1)
	if node {
		from = 0
	}
	return h.run("to_pod", data, from)
}

// ingressIndex is the index of ingress_ifindex in struct __sk_buff.
const ingressIndex = 9

func (h *Hooks) run(name string, data []byte, from uint32) (bool, error) {
	var ctx [ingressIndex + 1]uint32
	ctx[ingressIndex] = from
	verdict, err := h.collection.Programs[name].Run(&ebpf.RunOptions{Data: data, Context: ctx})
	if err != nil {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	if verdict != next && verdict != shot && verdict != answered {
		return false, fmt.Errorf("%s returned %d", name, verdict)
	}
	h.Answered = verdict == answered
	return verdict == next, nil
}

// Counter returns one of the counters, by its index in plc_verdicts.
func (h *Hooks) Counter(index uint32) (sum uint64, err error) {
	var each []uint64
	err = h.collection.Maps["plc_verdicts"].Lookup(index, &each)
	for _, n := range each {
		sum += n
	}
	return sum, err
}
