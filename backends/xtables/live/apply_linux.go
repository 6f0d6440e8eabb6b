package live

import (
	"context"
	"fmt"
)

// Observe reads planec's rules and sets from the kernel.
func (t *Tools) Observe(ctx context.Context) (*State, error) {
	answers, err := t.askAll(ctx, []question{t.saving("iptables"), t.saving("ip6tables"), {"ipset", "save"}})
	if err != nil {
		return nil, err
	}
	s := &State{}
	if s.ipv4, err = parseTables(false, answers[0]); err != nil {
		return nil, fmt.Errorf("iptables-save: %w", err)
	}
	if s.ipv6, err = parseTables(false, answers[1]); err != nil {
		return nil, fmt.Errorf("ip6tables-save: %w", err)
	}
	s.sets, err = parseSets(answers[2])
	return s, err
}

// Apply carries out a plan. If a step fails, new sets may remain without effect,
// and each table has either its old or its new rules.
func (t *Tools) Apply(ctx context.Context, p *Plan) error {
	if err := t.Begin(ctx, p); err != nil {
		return err
	}
	return t.End(ctx, p)
}

// Begin is the first part of [Tools.Apply]: it adds new sets and loads the rules. The
// caller can change other objects that the rules lead to between Begin and End.
func (t *Tools) Begin(ctx context.Context, p *Plan) error {
	if len(p.setsBefore) > 0 {
		if _, err := t.ipset(ctx, p.setsBefore, "-exist", "restore"); err != nil {
			return fmt.Errorf("making the sets: %w", err)
		}
	}
	if err := t.Restore(ctx, "iptables", p.ipv4); err != nil {
		return err
	}
	return t.Restore(ctx, "ip6tables", p.ipv6)
}

// End is the second part: it removes sets and members that no rule refers to any more.
func (t *Tools) End(ctx context.Context, p *Plan) error {
	if len(p.setsAfter) > 0 {
		if _, err := t.ipset(ctx, p.setsAfter, "restore"); err != nil {
			return fmt.Errorf("removing from the sets: %w", err)
		}
	}
	return nil
}

// Sets passes commands to ipset; commands that are already in effect are no errors.
func (t *Tools) Sets(ctx context.Context, commands []byte) error {
	_, err := t.ipset(ctx, commands, "-exist", "restore")
	return err
}

// Clean removes everything that belongs to planec and returns the steps taken.
func (t *Tools) Clean(ctx context.Context) ([]string, error) {
	have, err := t.Observe(ctx)
	if err != nil {
		return nil, err
	}
	p := NewPlan(have, Nothing())
	return p.Steps(), t.Apply(ctx, p)
}
