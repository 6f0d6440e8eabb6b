package ipvs

import "github.com/planec/planec/ir"

// target reads what a rule does.
func (p *ruleParser) target(name string, goTo bool) {
	p.rule.goTo = goTo
	if c := p.rules[p.table][name]; c != nil {
		p.rule.act = func(*walk) (verdict, *chain) { return none, c }
		return
	}
	if goTo {
		p.fail("chain %q is not declared", name)
		return
	}
	switch name {
	case "RETURN":
		p.rule.returns = true
		p.rule.act = func(*walk) (verdict, *chain) { return none, nil }
	case "ACCEPT":
		p.verdict(accept)
	case "DROP":
		if p.table == "nat" {
			p.fail("the nat table does not drop")
		}
		p.verdict(drop)
	case "REJECT":
		p.reject()
	case "MARK":
		p.setMark()
	case "SET":
		p.mapMark()
	case "MASQUERADE":
		p.masquerade()
	default:
		p.fail("target %q is not known", name)
	}
}

func (p *ruleParser) verdict(v verdict) {
	p.rule.act = func(*walk) (verdict, *chain) { return v, nil }
}

func (p *ruleParser) reject() {
	with := map[ir.Family]string{ir.IPv4: "icmp-port-unreachable", ir.IPv6: "icmp6-port-unreachable"}
	if p.table != "filter" {
		p.fail("only the filter table rejects")
	}
	p.want("--reject-with", with[p.family])
	p.verdict(reject)
}

func (p *ruleParser) setMark() {
	p.want("--set-xmark")
	value, mask := p.masked()
	p.rule.act = func(w *walk) (verdict, *chain) {
		w.mark = w.mark&^mask ^ value
		return none, nil
	}
}

// mapMark takes the mark from the entry that fits, if one does.
func (p *ruleParser) mapMark() {
	p.want("--map-set")
	s, question := p.question()
	p.want("--map-mark")
	if p.table != "mangle" || !s.skbinfo {
		p.fail("marks are mapped in the mangle table, from a set that has them")
	}
	p.rule.act = func(w *walk) (verdict, *chain) {
		if m, found := s.lookup(question(w)); found {
			w.mark = w.mark&^m.mask ^ m.value
		}
		return none, nil
	}
}

func (p *ruleParser) masquerade() {
	if p.table != "nat" {
		p.fail("only the nat table masquerades")
	}
	p.want("--random-fully")
	p.rule.act = func(w *walk) (verdict, *chain) {
		w.masqueraded = w.hook == "POSTROUTING"
		return accept, nil
	}
}
