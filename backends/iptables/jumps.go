package iptables

import "github.com/planec/planec/backends/xtables"

// jumps lead to the entries, in the order in which tables are loaded: what forbids
// comes first.
var jumps = []xtables.Jump{
	{Table: "mangle", Chain: "PREROUTING"},
	{Table: "mangle", Chain: "OUTPUT"},
	{Table: "filter", Chain: "INPUT"},
	{Table: "filter", Chain: "FORWARD"},
	{Table: "filter", Chain: "OUTPUT"},
	{Table: "nat", Chain: "PREROUTING"},
	{Table: "nat", Chain: "OUTPUT"},
	{Table: "nat", Chain: "POSTROUTING"},
}
