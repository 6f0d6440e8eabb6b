package ipvs

import "github.com/planec/planec/backends/xtables"

// jumps lead to the entries. What IPVS has to do with a packet is decided when its
// connection is new.
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
