package service

import (
	"github.com/planec/planec/ir"
)

// ids writes the IDs of a port's frontends and pools.
type ids struct {
	// text starts with the part that all IDs of the port share.
	text   []byte
	common int
	made   texts
}

// of starts with the IDs of another port.
func (i *ids) of(p *ir.ServicePort) {
	name := p.Port
	if name == "" {
		name = "-"
	}
	t := append(append(i.text[:0], p.Namespace...), '/')
	t = append(append(t, p.Name...), '/')
	t = append(append(t, name...), '/')
	i.text = append(append(t, p.Protocol.String()...), '/')
	i.common = len(i.text)
}

// frontend is the ID of what the port claims.
func (i *ids) frontend(c *claim) string {
	t := append(append(i.text[:i.common], c.kind.String()...), '/')
	if a := c.match.Address; a.IsValid() {
		t = a.AppendTo(t)
	} else {
		t = append(t, c.match.Family.String()...)
	}
	i.text = t
	return i.made.of(t)
}

// pool is the ID of the port's pool of a family.
func (i *ids) pool(f ir.Family, scope string) string {
	t := append(append(i.text[:i.common], f.String()...), '/')
	i.text = append(t, scope...)
	return i.made.of(i.text)
}
