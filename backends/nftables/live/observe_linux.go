package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// attempts bounds how often something is tried again because others changed the
// ruleset meanwhile.
const attempts = 10

// pause waits before a further attempt: first not at all, at last a tenth of a
// second.
func pause(ctx context.Context, attempt int) error {
	if attempt > 1 {
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Millisecond<<attempt, 100*time.Millisecond)):
		}
	}
	return ctx.Err()
}

// Observe reads planec's tables in the network namespace of the calling thread,
// and no other table. It needs CAP_NET_ADMIN.
func Observe(ctx context.Context) (*State, error) { return observe(ctx, (*observer).table) }

// observe reads until nothing changed meanwhile.
func observe(ctx context.Context, read func(*observer, *Table) error) (*State, error) {
	c, err := dial()
	if err != nil {
		return nil, fmt.Errorf("reading the nftables rules: %w", err)
	}
	defer c.close()
	for i := range attempts {
		if err := pause(ctx, i); err != nil {
			return nil, err
		}
		s, err := observeOnce(c, read)
		// A set or a table can vanish between two dumps.
		if errors.Is(err, errInterrupted) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the nftables rules: %w", explain(err))
		}
		return s, nil
	}
	return nil, fmt.Errorf("reading the nftables rules: %w", ErrBusy)
}

func observeOnce(c *conn, read func(*observer, *Table) error) (*State, error) {
	before, err := c.generation()
	if err == nil {
		err = c.settle(before)
	}
	if err != nil {
		return nil, err
	}
	m := &Model{}
	for _, f := range []Family{IPv4, IPv6} {
		o := &observer{conn: c, family: f}
		t, err := o.find()
		if err != nil {
			return nil, err
		}
		if t == nil {
			continue
		}
		m.Tables = append(m.Tables, t)
		if err := read(o, t); err != nil {
			return nil, err
		}
	}
	after, err := c.generation()
	if err == nil && after != before {
		err = errInterrupted
	}
	return &State{Model: m, Generation: after}, err
}

// observer reads one table.
type observer struct {
	*conn
	family Family
	// own are rules' anonymous sets.
	own map[string]*Set
	// elem is memory for one element.
	data, udata []byte
}

// find returns the table, still empty, or nil.
func (o *observer) find() (*Table, error) {
	var t *Table
	err := o.dump(msgGetTable, flagDump, o.family, nil, func(body []byte) error {
		if asString(attr(body, tableName)) != tableNamed {
			return nil
		}
		t = newTable(o.family)
		if asU32(attr(body, tableFlags)) != 0 {
			t.odd = "it has flags"
		}
		if attr(body, tableOwner) != nil {
			t.odd = "another program owns it"
		}
		return nil
	})
	return t, err
}

// table reads everything in the table.
func (o *observer) table(t *Table) error {
	for _, read := range []func(*Table) error{o.sets, o.chains, o.rules, o.others} {
		if err := read(t); err != nil {
			return err
		}
	}
	return nil
}

// ours asks for objects of the table only; kernels that do not filter send all.
func ours(w *writer) { w.str(1, tableNamed) }

func isOurs(body []byte) bool { return string(attr(body, 1)) == tableNamed+"\x00" }

// others notes objects that no text of ours makes.
func (o *observer) others(t *Table) error {
	for kind, what := range map[uint16]string{msgGetObj: "it has stateful objects", msgGetFlow: "it has flowtables"} {
		err := o.dump(kind, flagDump, o.family, ours, func(body []byte) error {
			if isOurs(body) {
				t.odd = what
			}
			return nil
		})
		if err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
			return err
		}
	}
	return nil
}

func (o *observer) chains(t *Table) error {
	return o.dump(msgGetChain, flagDump, o.family, ours, func(body []byte) error {
		if isOurs(body) {
			t.addChain(readChain(body))
		}
		return nil
	})
}

func readChain(body []byte) *Chain {
	const baseFlag = 1
	c := &Chain{}
	for kind, v := range attrs(body) {
		switch kind {
		case chainName:
			c.Name = asString(v)
		case chainType:
			c.Type = asString(v)
		case chainPolicy:
			c.Policy = asU32(v)
		case chainHook:
			c.Hook, c.Priority = asU32(attr(v, hookNumber)), int32(asU32(attr(v, hookPlace)))
		case chainFlags:
			if asU32(v)&^baseFlag != 0 {
				c.odd = append(c.odd, v...)
			}
		case chainCounters, chainUData:
			c.odd = append(c.odd, byte(kind))
		}
	}
	return c
}

func (o *observer) rules(t *Table) error {
	return o.dump(msgGetRule, flagDump, o.family, ours, func(body []byte) error {
		c := t.chains[asString(attr(body, ruleChain))]
		if !isOurs(body) || c == nil {
			return nil
		}
		r := &Rule{}
		for kind, v := range attrs(body) {
			switch kind {
			case ruleHandle:
				r.Handle = asU64(v)
			case ruleExprs:
				r.Exprs = append([]byte(nil), v...)
			case ruleUData:
				r.UserData = append([]byte(nil), v...)
			}
		}
		r.Exprs = renameSets(r.Exprs, func(name string) {
			if s := o.own[name]; s != nil {
				r.Sets = append(r.Sets, s)
			}
		})
		r.to = jumpTarget(r.Exprs)
		c.Rules = append(c.Rules, r)
		return nil
	})
}
