package iptables

import "github.com/planec/planec/backends/xtables"

// jumps lead from built-in chains to planec's entry chains. Tables that refuse
// packets are loaded first.
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
