package live

import "context"

// The methods below are for a program that replaces foreign rules.

// Save returns all rules of a family, including foreign ones; tool is "iptables"
// or "ip6tables".
func (t *Tools) Save(ctx context.Context, tool string) ([]byte, error) { return t.save(ctx, tool) }

// Restore loads text with iptables-restore, in one transaction per table. It does
// not change what the text does not name.
func (t *Tools) Restore(ctx context.Context, tool string, text []byte) error {
	return t.restore(ctx, tool, text)
}

// SetNames returns the names of all ipsets.
func (t *Tools) SetNames(ctx context.Context) ([]byte, error) {
	return t.ask(ctx, question{"ipset", "list", "-n"})
}
