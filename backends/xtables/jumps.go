package xtables

// Jump is a rule in a built-in chain that leads to planec's chain. A backend has
// the same jumps for every program, even without rules behind them, so that once
// they exist a load never touches a built-in chain.
type Jump struct {
	Table, Chain string // the table, and the built-in chain in it
	// Match selects packets; "" means all packets.
	Match string
}

// Tables returns the tables with planec's chains, in load order: those that refuse
// packets are loaded first.
func Tables() []string { return []string{"mangle", "filter", "nat"} }

// Rule returns the jump without a verb: "FORWARD -j PLC-FORWARD".
func (j Jump) Rule() string { return j.Chain + j.Match + " -j " + EntryOf(j.Chain) }

// AppendJumps writes commands that insert the jumps as the first rules of their
// chains. The jumps must be grouped by table, and their target chains must exist.
func AppendJumps(b []byte, jumps []Jump) []byte {
	for i, j := range jumps {
		if i == 0 || jumps[i-1].Table != j.Table {
			b = append(b, "*"+j.Table+"\n"...)
		}
		b = append(b, "-I "+j.Rule()+"\n"...)
		if i == len(jumps)-1 || jumps[i+1].Table != j.Table {
			b = append(b, "COMMIT\n"...)
		}
	}
	return b
}
