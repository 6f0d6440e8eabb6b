package nftables

// scope says which maps a route reads: those keyed by address, protocol and
// port or those of nodePorts, keyed by protocol and port; and of each, the
// second one where a frontend's external route has a pool of its own.
type scope uint8

const (
	nodePortScope scope = 1 << iota
	externalScope
	scopes = 4
)

// prefix starts the names of the scope's maps and chains.
func (s scope) prefix() string {
	switch s {
	case nodePortScope:
		return "nodeport-"
	case externalScope:
		return "external-"
	case nodePortScope | externalScope:
		return "nodeport-external-"
	}
	return ""
}

// keyExpr is the packet's key in maps of frontends.
func (s scope) keyExpr(f family) string {
	if s&nodePortScope != 0 {
		return "meta l4proto . th dport"
	}
	return f.ip + " daddr . meta l4proto . th dport"
}

// keyType is the same as a set's type.
func (s scope) keyType(f family) string {
	if s&nodePortScope != 0 {
		return "inet_proto . inet_service"
	}
	return f.addr + " . inet_proto . inet_service"
}
