package live

import "context"

// The methods below are for a program that replaces foreign rules.

// Save returns the rules of a family, everybody's; tool is "iptables" or
// "ip6tables".
func (t *Tools) Save(ctx context.Context, tool string) ([]byte, error) { return t.save(ctx, tool) }

// Restore carries out text for iptables-restore in one transaction for each table,
// and leaves alone what it does not name.
func (t *Tools) Restore(ctx context.Context, tool string, text []byte) error {
	return t.restore(ctx, tool, text)
}

// SetNames lists the names of all ipsets.
func (t *Tools) SetNames(ctx context.Context) ([]byte, error) {
	return t.ask(ctx, question{"ipset", "list", "-n"})
}
