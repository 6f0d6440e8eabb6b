package live

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// guarded is the number of attempts that carry the observed generation. If other
// programs change the ruleset all the time, that generation is always outdated, so
// later attempts omit it. They are still atomic, and the kernel refuses them if
// the tables are not as the plan expects.
const guarded = 3

// Apply commits the plan in the network namespace of the calling thread, as a
// whole or not at all. If the ruleset changed since the observation, it
// observes and plans again, a bounded number of times.
func Apply(ctx context.Context, p *Plan) error {
	first := p
	first.made = nil
	for i := range attempts {
		if err := pause(ctx, i); err != nil {
			return err
		}
		if p.Empty() {
			return nil
		}
		observed := p.observed
		if i >= guarded {
			unguarded := *p
			unguarded.observed = false
			p = &unguarded
		}
		err := p.send()
		if err == nil {
			first.made = madeBy(p)
			return nil
		}
		if !observed || !errors.Is(err, unix.ERESTART) && !errors.Is(err, ErrDrift) {
			return fmt.Errorf("changing the nftables rules: %w", err)
		}
		s, err := Observe(ctx)
		if err != nil {
			return err
		}
		p = Diff(s, p.want)
		p.atOnce = true // the ruleset changes a lot, so parts would rarely come to an end
	}
	return fmt.Errorf("changing the nftables rules: %w", ErrBusy)
}

// Clean removes only planec's tables, and returns the steps. Without tables it does
// nothing.
//
// A packet meets the rules of one generation, but a lookup in a set uses the
// generation of its own moment. A packet inside a table that is being removed finds
// empty sets: it is marked as from a non-local source and gets no endpoint, and then
// the rules of the next backend would choose an endpoint and masquerade it. So the
// tables first leave their hooks, and are removed when no packet is inside them.
func Clean(ctx context.Context) (steps []string, err error) {
	p, err := Left(ctx)
	if err != nil || p.Empty() {
		return nil, err
	}
	if err := p.dormant().commit(); err != nil {
		return nil, fmt.Errorf("taking the nftables rules out of use: %w", err)
	}
	awaitPackets()
	steps = p.Steps()
	if p, err = Left(ctx); err != nil {
		return nil, err
	}
	return steps, Apply(ctx, p)
}

// Left returns the plan that removes planec's tables, without reading all of them.
func Left(ctx context.Context) (*Plan, error) {
	s, err := observe(ctx, func(*observer, *Table) error { return nil })
	if err != nil {
		return nil, err
	}
	return Diff(s, &Model{}), nil
}

// dormant returns the transaction that takes the chains of the plan's tables off their hooks.
func (p *Plan) dormant() *Plan {
	d := &Plan{}
	for _, c := range p.changes {
		d.changes = append(d.changes, &tableChange{family: c.family, dormant: true})
	}
	return d
}

// send sends the plan in its transactions, all of them with one socket and from one piece of memory.
func (p *Plan) send() error {
	socket := p.socket
	if socket == nil {
		socket = &kept{}
		defer socket.close()
	}
	var batch []byte
	return p.inStages(func(stage *Plan) error {
		if stage.Empty() {
			return nil
		}
		var answered uint32
		batch, answered = stage.encodeIn(batch)
		err := socket.use(func(c *conn) error { return stage.transactOn(c, batch, answered) })
		if err == nil {
			p.committed++
		}
		return err
	})
}

func (p *Plan) inStages(commit func(*Plan) error) error {
	s := p.stages()
	parts := []*Plan{s.added}
	if p.observed && !p.atOnce {
		parts = s.added.parts()
	}
	for i, part := range parts {
		if i > 0 {
			awaitGrowth(partSizes(s.added)[i-1])
		}
		if err := commit(part); err != nil && i > 0 {
			return errors.Join(err, commit(s.added.undone()))
		} else if err != nil {
			return err
		}
	}
	if len(parts) > 1 {
		s.changed.generation = following(p.generation, len(parts))
	}
	if err := commit(s.changed); err != nil {
		// All or nothing: remove again what the first stage added.
		return errors.Join(err, commit(s.added.undone()))
	}
	if !s.removed.Empty() {
		awaitPackets()
	}
	return commit(s.removed)
}

// commit sends one transaction, or nothing for an empty plan.
func (p *Plan) commit() error {
	if p.Empty() {
		return nil
	}
	batch, answered := p.encode()
	return p.transact(batch, answered)
}

// transact sends the messages of the plan's transaction.
func (p *Plan) transact(batch []byte, answered uint32) error {
	return once(func(c *conn) error { return p.transactOn(c, batch, answered) })
}

// transactOn is transact on a socket. The kernel processes a transaction during the send call,
// so its answers are available afterwards.
func (p *Plan) transactOn(c *conn, batch []byte, answered uint32) error {
	if err := c.send(batch); err != nil {
		return tooLarge(err, len(batch))
	}
	o := outcome{batch: batch, answered: answered}
	// Only errors are lost, and the first of them arrived.
	var err error
	if o.lost, err = c.drain(o.reply); err != nil {
		return err
	}
	return o.result(p)
}

// outcome collects the answers to a batch.
type outcome struct {
	batch    []byte
	answered uint32
	first    error
	done     bool
	lost     bool
	restart  bool
}

func (o *outcome) reply(r reply) error {
	if r.kind != nlmsgError {
		return nil
	}
	said, err := r.problem()
	switch {
	case err == nil:
		o.done = o.done || r.sequence == o.answered
	case errors.Is(err, unix.ERESTART):
		o.restart = true
	case o.first == nil:
		if said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
		o.first = fmt.Errorf("%s: %w", describe(o.batch, r.sequence), o.explain(err, r.sequence))
	}
	return nil
}

// explain adds the meaning of an error of one message.
func (o *outcome) explain(err error, sequence uint32) error {
	m, _ := findSent(o.batch, sequence)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) || m.kind == msgNewRule && errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%w (%s)", err, lacks(o.batch, sequence))
	}
	return explain(err)
}

func (o *outcome) result(p *Plan) error {
	switch {
	case o.restart:
		return unix.ERESTART
	case o.first != nil:
		if !p.observed && (errors.Is(o.first, unix.ENOENT) || errors.Is(o.first, unix.EEXIST) || errors.Is(o.first, unix.EBUSY)) {
			return fmt.Errorf("%w: %w", ErrDrift, o.first)
		}
		return o.first
	case !o.done || o.lost:
		return fmt.Errorf("the kernel did not say whether the transaction of %d bytes was taken: %w", len(o.batch), unix.ENOBUFS)
	}
	return nil
}

// explain adds the meaning of an error number.
func explain(err error) error {
	for _, known := range []struct {
		errno unix.Errno
		words string
	}{
		{unix.EPERM, "CAP_NET_ADMIN is needed"},
		{unix.EOPNOTSUPP, "the kernel does not support it"},
		{unix.EAFNOSUPPORT, "the kernel has no nf_tables for this family: CONFIG_NF_TABLES_IPV4, CONFIG_NF_TABLES_IPV6"},
		{unix.ENOENT, "something that it names is missing: a table, a chain, a set or an element"},
		{unix.EEXIST, "it is there already"},
		{unix.EBUSY, "it is in use, or there with other data"},
		{unix.ENOMEM, "the kernel has no memory for it"},
		{unix.ENOBUFS, "the kernel has no memory for it"},
		{unix.ENFILE, "the set is full"},
		{unix.ENOSPC, "the set is full"},
		{unix.EMLINK, "chains that lead to each other too deep, or too many of them"},
		{unix.ELOOP, "chains that lead to each other in a circle"},
	} {
		if errors.Is(err, known.errno) {
			return fmt.Errorf("%w (%s)", err, known.words)
		}
	}
	return err
}

func tooLarge(err error, n int) error {
	if errors.Is(err, unix.EMSGSIZE) {
		return fmt.Errorf("a transaction of %d bytes does not fit into the socket's buffer; it needs CAP_NET_ADMIN, or net.core.wmem_max raised: %w", n, err)
	}
	if errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM) {
		return fmt.Errorf("no memory for a transaction of %d bytes: %w", n, err)
	}
	return explain(err)
}
