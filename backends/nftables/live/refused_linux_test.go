package live

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// TestRefusedAtEachMessage has the kernel refuse every message of a change in turn, in
// whichever of its transactions it is: the rules stay what they were, or where only
// remains were left to remove are the new ones, and the same change goes well then.
func TestRefusedAtEachMessage(t *testing.T) {
	r := newRig(t)
	from, to := parse(t, artifacts(t)["../testdata/everything.nft"]), parse(t, artifacts(t)["../testdata/policies.nft"])
	for _, models := range [][2]*Model{{{}, from}, {from, to}, {to, from}, {from, {}}} {
		before, after := models[0], models[1]
		r.apply(Diff(r.observe(), before))
		last := false
		for i := 0; !last; i++ {
			spoiler := spoiler{at: i}
			plan := Diff(r.observe(), after)
			err := r.Do(func() error { return plan.inStages(spoiler.commit) })
			if last = !spoiler.spoiled; last != (err == nil) {
				t.Fatalf("message %d: error %v", i, err)
			}
			left := Diff(r.observe(), after)
			if onlyRemains(left) && !left.Empty() {
				r.apply(left) // the last transaction was refused
				r.apply(Diff(r.observe(), before))
			}
			if half := Diff(r.observe(), before); !last && !half.Empty() {
				t.Fatalf("message %d: half of the change is there: %q", i, half.Steps())
			}
		}
		r.verify(after)
	}
}

// spoiler has the kernel refuse one message, as one of a table that there is not.
type spoiler struct {
	at      int
	spoiled bool
}

func (s *spoiler) commit(p *Plan) error {
	if p.Empty() || s.spoiled {
		return p.commit()
	}
	batch, answered := p.encode()
	for rest := batch; len(rest) >= nfHeaderLen; {
		n := int(binary.NativeEndian.Uint32(rest))
		kind := binary.NativeEndian.Uint16(rest[4:])
		name := bytes.Index(rest[:n], []byte(tableNamed+"\x00"))
		if kind>>8 == subsysNFTables && kind&0xff != msgNewTable && name > 0 {
			if s.at == 0 {
				rest[name] = 'x'
				s.spoiled = true
				break
			}
			s.at--
		}
		rest = rest[(n+3)&^3:]
	}
	return p.transact(batch, answered)
}
