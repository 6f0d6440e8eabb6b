package xtables

// Jump is the rule by which packets of a built-in chain enter planec's. The jumps of
// a backend are the same for every program, with rules behind them or not, so that a
// load never touches a built-in chain once they are there.
type Jump struct {
	Table, Chain string
	// Match is "" for all packets.
	Match string
}

// Tables are those that have planec's chains, in the order of loading: what forbids
// comes first.
func Tables() []string { return []string{"mangle", "filter", "nat"} }

// Rule is the jump without verb: "FORWARD -j PLC-FORWARD".
func (j Jump) Rule() string { return j.Chain + j.Match + " -j " + EntryOf(j.Chain) }

// AppendJumps writes jumps, of which those of a table are in one piece, to be the
// first rules of their chains. The chains that they lead to are there already.
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
