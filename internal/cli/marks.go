package cli

import "github.com/planec/planec/ir/diag"

// marks says which marks of the node's network plugin the backend uses too.
func (l *loaded) marks(backend string) diag.List {
	if n := l.settings.Network(); n != nil && n.System != nil {
		return l.config.NetworkMarks(n.System, backend)
	}
	return nil
}
