package nft

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// setMark reads what follows "meta mark set".
func (p *ruleParser) setMark() (Statement, error) {
	or := p.accept("meta", "mark", "|")
	if or || p.accept("meta", "mark", "^") {
		n, err := p.number()
		return CombineMark{Xor: !or, Bits: n}, err
	}
	if p.accept("jhash") {
		return p.hashMark()
	}
	return p.setFromMap(fields[[2]string{"meta", "mark"}])
}

// hashMark reads "KEY mod N seed S". The key and the result have to fit into the
// registers together, and nft keeps four of those for the result.
func (p *ruleParser) hashMark() (Statement, error) {
	const result = 4
	var s HashMark
	var err error
	if s.Key, err = p.key(); err == nil {
		err = p.expect("mod")
	}
	if err == nil {
		s.Modulus, err = p.modulus()
	}
	if err == nil {
		err = p.expect("seed")
	}
	if err == nil {
		s.Seed, err = p.number()
	}
	if err == nil && Words(s.Key)+result > 16 {
		err = fmt.Errorf("a hash of too much")
	}
	return s, err
}

// setPriority reads what follows "meta priority set".
func (p *ruleParser) setPriority() (Statement, error) {
	if w := p.peek(); w == "none" || w == "root" || strings.Contains(w, ":") {
		n, err := p.constant(ClassID)
		return SetPriority{n}, err
	}
	return p.setFromMap(fields[[2]string{"meta", "priority"}])
}

func (p *ruleParser) setFromMap(to Field) (Statement, error) {
	key, s, err := p.mapLookup()
	if err == nil && (len(s.Data) != 1 || s.Data[0].Kind != to.Kind) {
		err = fmt.Errorf("map %s has other data", s.Name)
	}
	return SetFromMap{to, key, s}, err
}

// mapLookup reads "KEY map @name".
func (p *ruleParser) mapLookup() ([]Field, *Set, error) {
	key, err := p.key()
	if err == nil {
		err = p.expect("map")
	}
	if err != nil {
		return nil, nil, err
	}
	s, err := p.set(key)
	return key, s, err
}

// dnat reads "dnat ip to KEY map @name", with the table's family.
func (p *ruleParser) dnat() (Statement, error) {
	if err := p.expect("dnat", p.table.Family.String(), "to"); err != nil {
		return nil, err
	}
	key, s, err := p.mapLookup()
	if err == nil && (len(s.Data) != 2 || s.Data[0].Kind != p.table.Family.addr() || s.Data[1].Kind != Port) {
		err = fmt.Errorf("map %s has no address and port", s.Name)
	}
	return DNAT{key, s}, err
}

// update reads "update|delete @name { KEY [timeout T] : FIELD }". A key is four
// registers long at most: nft 1.0.6 has no more for it.
func (p *ruleParser) update() (Statement, error) {
	const longest = 4
	u := Update{Delete: p.next() == "delete"}
	at := p.at
	p.next()
	err := p.expect("{")
	if err == nil {
		u.Key, err = p.key()
	}
	if err != nil {
		return nil, err
	}
	after := p.at
	p.at = at
	if u.Set, err = p.set(u.Key); err != nil {
		return nil, err
	}
	if p.at = after; p.accept("timeout") {
		if u.Timeout, err = parseTimeout(p.next()); err != nil {
			return nil, err
		}
	}
	if u.Set.Map {
		if err = p.expect(":"); err == nil {
			u.Data, err = p.field()
		}
	}
	if err != nil {
		return nil, err
	}
	if s := u.Set; !s.Dynamic || s.Map && (len(s.Data) != 1 || s.Data[0].Kind != u.Data.Kind) || Words(u.Key) > longest {
		return nil, fmt.Errorf("%s takes no such update", s.Name)
	}
	return u, p.expect("}")
}

// parseTimeout reads nft's times: "1d2h3m4s".
func parseTimeout(s string) (time.Duration, error) {
	var total time.Duration
	units := []struct {
		letter string
		length time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
	rest := s
	for _, u := range units {
		n, after, ok := strings.Cut(rest, u.letter)
		if !ok {
			continue
		}
		v, err := strconv.ParseUint(n, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("time %q", s)
		}
		total += time.Duration(v) * u.length
		rest = after
	}
	if rest != "" || total == 0 {
		return 0, fmt.Errorf("time %q", s)
	}
	return total, nil
}
