package ipvs

import "github.com/planec/planec/backends/xtables"

// jumps lead from built-in chains to planec's entry chains. The rules for IPVS see
// only new connections, because IPVS decides on the first packet.
var jumps = []xtables.Jump{
	{Table: "mangle", Chain: "INPUT", Match: newOnly},
	{Table: "mangle", Chain: "OUTPUT", Match: newOnly},
	{Table: "nat", Chain: "PREROUTING"},
	{Table: "nat", Chain: "OUTPUT"},
	{Table: "nat", Chain: "POSTROUTING"},
	{Table: "filter", Chain: "INPUT", Match: newOnly},
	{Table: "filter", Chain: "FORWARD"},
	{Table: "filter", Chain: "OUTPUT", Match: newOnly},
}
