package live

import (
	"context"
	"fmt"
)

// Observe reads what of planec is in the kernel.
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

// Apply carries out a plan. When a step fails, sets that were added for it stay
// behind and change nothing, and each table has its old rules or its new ones.
func (t *Tools) Apply(ctx context.Context, p *Plan) error {
	if err := t.Begin(ctx, p); err != nil {
		return err
	}
	return t.End(ctx, p)
}

// Begin is the first part of [Tools.Apply]: the sets and the rules that come. What
// else the rules lead to can be changed between it and End.
func (t *Tools) Begin(ctx context.Context, p *Plan) error {
	if len(p.setsBefore) > 0 {
		if _, err := t.ipset(ctx, p.setsBefore, "-exist", "restore"); err != nil {
			return fmt.Errorf("making the sets: %w", err)
		}
	}
	if err := t.restore(ctx, "iptables", p.ipv4); err != nil {
		return err
	}
	return t.restore(ctx, "ip6tables", p.ipv6)
}

// End is the second part: what no rule names any more goes.
func (t *Tools) End(ctx context.Context, p *Plan) error {
	if len(p.setsAfter) > 0 {
		if _, err := t.ipset(ctx, p.setsAfter, "restore"); err != nil {
			return fmt.Errorf("removing from the sets: %w", err)
		}
	}
	return nil
}

// Sets gives commands to ipset; those that are carried out already are no errors.
func (t *Tools) Sets(ctx context.Context, commands []byte) error {
	_, err := t.ipset(ctx, commands, "-exist", "restore")
	return err
}

// Clean removes everything that is ours and says what.
func (t *Tools) Clean(ctx context.Context) ([]string, error) {
	have, err := t.Observe(ctx)
	if err != nil {
		return nil, err
	}
	p := NewPlan(have, Nothing())
	return p.Steps(), t.Apply(ctx, p)
}
