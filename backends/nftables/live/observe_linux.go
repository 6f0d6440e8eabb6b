package live

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/internal/text/nft"
)

// attempts bounds how often a transaction is repeated because the ruleset changed
// meanwhile; readings bounds how often planec's tables are read again because
// other programs changed them.
const (
	attempts = 10
	readings = 40
)

// pause waits before a further attempt: not before the first, finally a tenth
// of a second.
func pause(ctx context.Context, attempt int) error {
	if attempt > 1 {
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Millisecond<<min(attempt, 10), 100*time.Millisecond)):
		}
	}
	return ctx.Err()
}

// Observe reads planec's tables, and no others, in the network namespace of the
// calling thread. It needs CAP_NET_ADMIN.
func Observe(ctx context.Context) (*State, error) { return observe(ctx, (*observer).table) }

func observe(ctx context.Context, read func(*observer, *Table) error) (*State, error) {
	return observeWith(ctx, nil, read)
}

// observeWith reads until planec's tables did not change during the reading. made may be nil.
func observeWith(ctx context.Context, made *Made, read func(*observer, *Table) error) (*State, error) {
	c, err := dial()
	if err != nil {
		return nil, fmt.Errorf("reading the nftables rules: %w", err)
	}
	defer c.close()
	w := listen()
	defer w.close()
	for i := range readings {
		if err := pause(ctx, i); err != nil {
			return nil, err
		}
		s, err := observeOnce(c, w, made, read)
		// A set or a table can vanish between two dumps.
		if errors.Is(err, errInterrupted) || errors.Is(err, unix.ENOENT) || isPassing(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the nftables rules: %w", explain(err))
		}
		return s, nil
	}
	return nil, fmt.Errorf("reading the nftables rules: %w", ErrBusy)
}

// isPassing reports whether an error is temporary, so that the same call may
// succeed soon.
func isPassing(err error) bool { return errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) }

// observeOnce reads planec's tables. It fails with errInterrupted if one of them
// may have changed meanwhile.
func observeOnce(c *conn, w *watch, made *Made, read func(*observer, *Table) error) (*State, error) {
	before, err := c.begin(w)
	if err != nil {
		return nil, err
	}
	if made != nil && made.generation != before {
		made = nil // another program's transaction came in between
	}
	m, complete := &Model{}, true
	for _, f := range []nft.Family{nft.IPv4, nft.IPv6} {
		o := &observer{conn: c, family: f, made: made}
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
		complete = complete && o.complete(t)
	}
	after, err := c.generation()
	if err == nil && (after != before || c.interrupted) {
		err = c.foreign(w, complete)
	}
	return &State{Model: m, Generation: after}, err
}

// begin returns the generation after all of its changes are visible, because the
// kernel raises the number first. Then it drops earlier notifications.
func (c *conn) begin(w *watch) (generation uint32, err error) {
	c.interrupted = false
	generation, err = c.generation()
	if err == nil {
		err = c.settle()
	}
	if w != nil {
		w.concerned()
	}
	return generation, err
}

// foreign returns nil if the changes of the ruleset during the reading did not
// concern planec's tables. Then only lists over all tables can have gaps, and
// complete says that they have none.
func (c *conn) foreign(w *watch, complete bool) error {
	if w == nil || c.interrupted && !complete {
		return errInterrupted
	}
	if err := c.settle(); err != nil {
		return err
	}
	if w.concerned() {
		return errInterrupted
	}
	return nil
}

// observer reads one table.
type observer struct {
	*conn
	family nft.Family
	// own holds the anonymous sets of rules.
	own map[string]*Set
	// uses is the kernel's count of chains, sets and other objects in the table,
	// others the number of those that are neither chains nor sets.
	uses, others int
	// made is what the last plan made, if no transaction came since; else nil.
	made *Made
	// data and udata are buffers for one element.
	data, udata []byte
}

// find returns the table without content, or nil.
func (o *observer) find() (*Table, error) {
	var t *Table
	err := o.dump(msgGetTable, 0, o.family, func(w *writer) { w.str(tableName, tableNamed) }, func(body []byte) error {
		t = newTable(o.family)
		o.uses, o.others = int(nlattr.Uint32(nlattr.Get(body, tableUse))), 0
		if nlattr.Uint32(nlattr.Get(body, tableFlags)) != 0 {
			t.odd = "it has flags"
		}
		if nlattr.Get(body, tableOwner) != nil {
			t.odd = "another program owns it"
		}
		t.sealed(body)
		return nil
	})
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EAFNOSUPPORT) {
		return nil, nil
	}
	return t, err
}

// complete reports whether as many objects were read as the kernel counts in the table, without
// anonymous sets. The kernel lists chains by their position among those of all tables, so the
// removal of a foreign chain can hide one of planec's.
func (o *observer) complete(t *Table) bool {
	return o.uses == len(t.Chains)+len(t.Sets)+o.others
}

// table reads all content of the table.
func (o *observer) table(t *Table) error {
	for _, read := range []func(*Table) error{o.sets, o.chains, o.rules, o.rest} {
		if err := read(t); err != nil {
			return err
		}
	}
	return nil
}

// ours restricts a dump to objects of planec's tables; old kernels ignore that and send all.
func ours(w *writer) { w.str(1, tableNamed) }

func isOurs(body []byte) bool { return string(nlattr.Get(body, 1)) == tableNamed+"\x00" }

// rest notes objects that planec's text never makes.
func (o *observer) rest(t *Table) error {
	for kind, what := range map[uint16]string{msgGetObj: "it has stateful objects", msgGetFlow: "it has flowtables"} {
		err := o.dump(kind, flagDump, o.family, ours, func(body []byte) error {
			if isOurs(body) {
				t.odd = what
				o.others++
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
		if c := readChain(body); isOurs(body) && t.chains[c.Name] == nil {
			t.addChain(c)
		}
		return nil
	})
}

func readChain(body []byte) *Chain {
	const baseFlag = 1
	c := &Chain{}
	for kind, v := range nlattr.All(body) {
		switch kind {
		case chainName:
			c.Name = nlattr.String(v)
		case chainType:
			c.Type = nlattr.String(v)
		case chainPolicy:
			c.Policy = nlattr.Uint32(v)
		case chainHook:
			c.Hook, c.Priority = nlattr.Uint32(nlattr.Get(v, hookNumber)), int32(nlattr.Uint32(nlattr.Get(v, hookPlace)))
		case chainFlags:
			if nlattr.Uint32(v)&^baseFlag != 0 {
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
		c := t.chains[nlattr.String(nlattr.Get(body, ruleChain))]
		if !isOurs(body) || c == nil {
			return nil
		}
		r := &Rule{}
		for kind, v := range nlattr.All(body) {
			switch kind {
			case ruleHandle:
				r.Handle = nlattr.Uint64(v)
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
