package nftables

// scope selects the maps that a route reads: keyed by address, protocol and
// port, or for nodePorts by protocol and port; each also in a second form
// for frontends whose external route has its own pool.
type scope uint8

const (
	nodePortScope scope = 1 << iota
	externalScope
	scopes = 4
)

// prefix starts the names of the scope's maps and chains.
func (s scope) prefix() string {
	return [scopes]string{nodePortScope: "nodeport-", externalScope: "external-", nodePortScope | externalScope: "nodeport-external-"}[s]
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
