package live

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/cilium/ebpf"
)

// Verdicts counts packets of one direction since the programs were attached first.
type Verdicts struct {
	// Known are packets of accepted connections, Accepted those that policies were asked
	// about, and Passed those that they do not concern. The three are 0 without CountAll.
	Known, Accepted, Passed uint64
	// Denied are packets that policies deny, Broken those of policed pods with headers that
	// make no sense, and Parts fragments of which the first one was not accepted.
	Denied, Broken, Parts uint64
	// Midstream are TCP packets that were judged in the middle of a connection: it was
	// forgotten, or is older than the programs. Many of them mean that Legs is too small.
	Midstream uint64
	// Full are connections that could not be remembered.
	Full uint64
}

// verdictCounters is COUNTERS of veth.c.
const verdictCounters = 8

func (v *Verdicts) fields() [verdictCounters]*uint64 {
	return [...]*uint64{&v.Known, &v.Accepted, &v.Passed, &v.Denied, &v.Broken, &v.Parts, &v.Midstream, &v.Full}
}

// Verdicts returns the counters of what pods sent (from) and what they were sent (to); zero
// where no program was attached.
func (i *Interfaces) Verdicts() (from, to Verdicts, err error) {
	m, err := ebpf.LoadPinnedMap(filepath.Join(i.Dir, verdictsMap), &ebpf.LoadPinOptions{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return from, to, nil
	} else if err != nil {
		return from, to, fmt.Errorf("reading the counters of interfaces: %w", explain(err))
	}
	defer m.Close()
	for side, v := range []*Verdicts{&from, &to} {
		for n, field := range v.fields() {
			var each []uint64
			if err := m.Lookup(uint32(side*verdictCounters+n), &each); err != nil {
				return from, to, fmt.Errorf("reading the counters of interfaces: %w", err)
			}
			for _, x := range each {
				*field += x
			}
		}
	}
	return from, to, nil
}
