package nftables

// verdict is the decision of a rule or of an element.
type verdict struct {
	code  verdictCode
	chain string
}

type verdictCode uint8

const (
	// goOn is no decision: the next rule follows.
	goOn verdictCode = iota
	accept
	drop
	reject
	giveBack // return
	jump
	goTo
)

// final reports whether the verdict ends the evaluation of this hook.
func (v verdict) final() bool { return v.code == accept || v.code == drop || v.code == reject }

func parseVerdict(line *stream) (verdict, bool) {
	codes := map[string]verdictCode{"accept": accept, "drop": drop, "reject": reject, "return": giveBack, "jump": jump, "goto": goTo}
	code, ok := codes[line.peek()]
	if !ok {
		return verdict{}, false
	}
	line.next()
	v := verdict{code: code}
	if code == jump || code == goTo {
		v.chain = line.next()
	}
	return v, true
}
