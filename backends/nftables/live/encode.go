package live

import (
	"bytes"
	"encoding/binary"
)

// encoder writes a transaction.
type encoder struct {
	writer
	// sets numbers the anonymous sets.
	sets uint32
	// last is the offset of the last message that asks for something, and
	// sequence its number.
	last     int
	sequence uint32
}

// encode returns the batch and the sequence number of the message that the
// kernel answers. The batch carries the generation if the plan has one.
func (p *Plan) encode() (batch []byte, answered uint32) { return p.encodeIn(nil) }

// encodeIn is encode into memory that was used before, if it has room for that.
func (p *Plan) encodeIn(room []byte) (batch []byte, answered uint32) {
	if size := p.encodedSize(); cap(room) < size {
		room = make([]byte, 0, max(size, p.room))
	}
	e := &encoder{writer: writer{b: room[:0]}}
	at := e.message(msgBatchBegin, 0, 0, subsysNFTables)
	if p.observed {
		e.u32(batchGenID, p.generation)
	}
	e.end(at)
	for _, c := range p.changes {
		e.table(c)
	}
	flags := e.b[e.last+6:]
	binary.NativeEndian.PutUint16(flags, binary.NativeEndian.Uint16(flags)|flagAck)
	e.end(e.message(msgBatchEnd, 0, 0, subsysNFTables))
	return e.b, e.sequence
}

// encodedSize estimates the size of the batch.
func (p *Plan) encodedSize() int {
	const perChain = 1024
	n := 4096
	for _, c := range p.changes {
		n += perChain * (len(c.newChains) + len(c.rules))
		for i := range c.elems {
			e := &c.elems[i]
			n += e.set.encodedSize() * e.added()
			if e.from != nil {
				n += e.from.encodedSize() * len(e.del)
			}
		}
	}
	return n
}

// encodedSize estimates the size of an element: what its record has, the headers of its attributes
// and of the messages, and what they are padded with. A verdict has two attributes more, and
// a range may be two elements.
func (s *Set) encodedSize() int {
	const perElem, perVerdict = 33, 16
	n := perElem + len(s.Elems.blob)/max(1, s.Elems.n)
	if s.verdicts() {
		n += perVerdict
	}
	if s.singleSpan() {
		n *= 2
	}
	return n
}

// begin starts a message of this transaction. Messages are numbered from 1, so
// that an error can be traced to its message.
func (e *encoder) begin(kind, flags uint16, c *tableChange) int {
	e.last = e.nft(kind, flags, c.family)
	e.sequence++
	binary.NativeEndian.PutUint32(e.b[e.last+8:], e.sequence)
	return e.last
}

func (e *encoder) table(c *tableChange) {
	if c.dormant {
		e.newTable(c, 0, tableDormant)
		return
	}
	if c.remove {
		at := e.begin(msgDelTable, 0, c)
		e.str(tableName, tableNamed)
		e.end(at)
	}
	if c.create {
		e.newTable(c, flagCreate|flagExcl, 0)
	}
	for _, n := range c.newChains {
		e.chain(c, n)
	}
	for _, s := range c.newSets {
		e.sets++
		e.set(c, s, e.sets)
	}
	e.deletions(c)
	e.additionsTo(c, func(s *Set) bool { return !s.afterRules() })
	for _, n := range c.rules {
		e.delete(msgDelRule, c, ruleTable, ruleChain, n.Name)
		e.rules(c, n)
	}
	for _, n := range c.newChains {
		if !c.inert || !n.Base() {
			e.rules(c, n)
		}
	}
	e.additionsTo(c, (*Set).afterRules)
	for _, n := range c.goneChains {
		e.delete(msgDelRule, c, ruleTable, ruleChain, n)
	}
	for _, n := range c.goneSets {
		e.delete(msgDelSet, c, setTable, setName, n)
	}
	for _, n := range c.goneChains {
		e.delete(msgDelChain, c, chainTable, chainName, n)
	}
}

// newTable adds the table, or sets the flags of the existing one.
func (e *encoder) newTable(c *tableChange, flags uint16, tableIs uint32) {
	at := e.begin(msgNewTable, flags, c)
	e.str(tableName, tableNamed)
	e.u32(tableFlags, tableIs)
	if flags&flagCreate != 0 {
		e.bytes(tableUData, appendNonce(nil)) // see [Seal]
	}
	e.end(at)
}

func (e *encoder) chain(c *tableChange, n *Chain) {
	at := e.begin(msgNewChain, flagCreate|flagExcl, c)
	e.str(chainTable, tableNamed)
	e.str(chainName, n.Name)
	if n.Base() {
		hook := e.nest(chainHook)
		e.u32(hookNumber, n.Hook)
		e.u32(hookPlace, uint32(n.Priority))
		e.done(hook)
		e.u32(chainPolicy, n.Policy)
		e.str(chainType, n.Type)
	}
	e.end(at)
}

func (e *encoder) set(c *tableChange, s *Set, id uint32) {
	at := e.begin(msgNewSet, flagCreate|flagExcl, c)
	e.str(setTable, tableNamed)
	e.str(setName, s.Name)
	e.u32(setFlags, s.Flags)
	e.u32(setKeyType, s.KeyType)
	e.u32(setKeyLen, s.KeyLen)
	if s.isMap() {
		e.u32(setDataType, s.DataType)
		e.u32(setDataLen, s.DataLen)
	}
	desc := e.nest(setDesc)
	if s.Size > 0 {
		e.u32(descSize, s.Size)
	}
	if len(s.Concat) > 0 {
		concat := e.nest(descConcat)
		for _, n := range s.Concat {
			f := e.nest(listElem)
			e.u32(fieldLen, n)
			e.done(f)
		}
		e.done(concat)
	}
	e.done(desc)
	e.u32(setID, id)
	e.bytes(setUData, s.UserData)
	e.end(at)
}

// delete removes a set, a chain or the rules of a chain. inTable and named are the
// attributes with the names of the table and of the object.
func (e *encoder) delete(kind uint16, c *tableChange, inTable, named uint16, name string) {
	at := e.begin(kind, 0, c)
	e.str(inTable, tableNamed)
	e.str(named, name)
	e.end(at)
}

func (e *encoder) rules(c *tableChange, n *Chain) {
	for _, r := range n.Rules {
		exprs := r.Exprs
		if len(r.Sets) > 0 {
			exprs = e.ownSets(c, r)
		}
		at := e.begin(msgNewRule, flagCreate|flagAppend, c)
		e.str(ruleTable, tableNamed)
		e.str(ruleChain, n.Name)
		e.bytes(ruleExprs, exprs)
		if len(r.UserData) > 0 {
			e.bytes(ruleUData, r.UserData)
		}
		e.end(at)
	}
}

// ownSets adds a rule's anonymous sets and returns the rule with their numbers,
// because the kernel chooses their names.
func (e *encoder) ownSets(c *tableChange, r *Rule) []byte {
	first := e.sets + 1
	for _, s := range r.Sets {
		e.sets++
		e.set(c, s, e.sets)
		l := e.list(c, msgNewElems, s.Name, e.sets)
		if s.interval() {
			e.beforeFirst(l, s)
		}
		x := elemChange{set: s, whole: true}
		for r := range x.additions() {
			l.elem(s, r, true)
		}
		l.close()
	}
	id := first
	return rewriteLookups(r.Exprs, func(w *writer, name string) {
		w.str(lookupSet, name)
		w.u32(lookupSetID, id)
		id++
	})
}

// beforeFirst writes the element that nft puts before ranges that do not start at 0.
func (e *encoder) beforeFirst(l *elemList, s *Set) {
	zero := make([]byte, s.KeyLen)
	for r := range (&elemChange{set: s, whole: true}).additions() {
		if !bytes.Equal(r.key[:s.KeyLen], zero) {
			l.rangeEnd(zero)
		}
		return
	}
}
