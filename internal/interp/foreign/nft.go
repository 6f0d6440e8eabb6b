package foreign

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/planec/planec/internal/text/nftlist"
	"github.com/planec/planec/ir/space"
)

// kubeProxyTable is the name of kube-proxy's tables. Tables of other programs are theirs
// before and after a migration, and are skipped where no packet comes to their rules.
const kubeProxyTable = "kube-proxy"

// ParseNFT reads kube-proxy's tables in a listing of nft: for each family one, at most. A
// table of another program whose base chains have rules is an error, because packets pass it.
func ParseNFT(text []byte) ([]*Rules, error) {
	tables, err := nftlist.Parse(text)
	if err != nil {
		return nil, err
	}
	var out []*Rules
	var skipped []string
	for _, t := range tables {
		if t.Name != kubeProxyTable || t.Family != "ip" && t.Family != "ip6" {
			if err := passed(t); err != nil {
				return nil, err
			}
			skipped = append(skipped, fmt.Sprintf("line %d: table %s %s is another program's, and no packet passes its rules", t.Line, t.Family, t.Name))
			continue
		}
		r, err := rulesOf(t)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no table %s of ip or ip6", kubeProxyTable)
	}
	out[0].Skipped = append(skipped, out[0].Skipped...)
	return out, nil
}

// passed returns an error if packets pass rules of a table.
func passed(t *nftlist.Table) error {
	for _, c := range t.Chains {
		if c.Base != nil && (len(c.Rules) > 0 || c.Base.Policy != "accept") {
			return fmt.Errorf("line %d: packets pass chain %s of table %s %s, which is not kube-proxy's; to leave it out of the question, give the output of nft list table %s %s",
				c.Line, c.Name, t.Family, t.Name, map[bool]string{false: "ip", true: "ip6"}[t.Family == "ip6"], kubeProxyTable)
		}
	}
	return nil
}

// nftTable is a table on its way to rules.
type nftTable struct {
	*nftlist.Table
	rules      *Rules
	ipv6       bool
	chains     map[string]*chain
	sets       map[string]*nftSet
	affinities map[string]*affinity
	leads      map[*chain][]*chain
}

func rulesOf(t *nftlist.Table) (*Rules, error) {
	n := &nftTable{
		Table: t, ipv6: t.Family == "ip6", chains: make(map[string]*chain), sets: make(map[string]*nftSet),
		affinities: make(map[string]*affinity), leads: make(map[*chain][]*chain),
	}
	r := &Rules{IPv6: n.ipv6}
	n.rules = r
	for _, c := range t.Chains {
		if n.chains[c.Name] != nil {
			return nil, fmt.Errorf("line %d: a second chain %s", c.Line, c.Name)
		}
		n.chains[c.Name] = &chain{name: c.Name}
		if c.Base != nil {
			if err := n.base(r, c); err != nil {
				return nil, fmt.Errorf("line %d: chain %s: %w", c.Line, c.Name, err)
			}
		}
	}
	for _, s := range t.Sets {
		if err := n.addSet(s); err != nil {
			return nil, err
		}
	}
	for _, c := range t.Chains {
		to := n.chains[c.Name]
		for i := range c.Rules {
			to.rules = append(to.rules, n.rule(to, &c.Rules[i]))
		}
	}
	return r, r.check(n.leads)
}

// priorities are nft's names of priorities, by hook where that matters.
var priorities = map[string]int{"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}

func (n *nftTable) base(r *Rules, c *nftlist.Chain) error {
	h, known := hookNames[c.Base.Hook]
	if !known {
		return fmt.Errorf("hook %q is not known", c.Base.Hook)
	}
	if c.Base.Type != "filter" && c.Base.Type != "nat" {
		return fmt.Errorf("type %q is not known", c.Base.Type)
	}
	words := strings.Join(c.Base.Priority, "")
	name := strings.TrimRight(words, "+-0123456789")
	at, named := priorities[name]
	offset := 0
	var err error
	if rest := words[len(name):]; rest != "" {
		offset, err = strconv.Atoi(rest)
	}
	if err != nil || !named && name != "" {
		return fmt.Errorf("priority %q is not known", words)
	}
	if c.Base.Policy != "accept" && c.Base.Policy != "drop" {
		return fmt.Errorf("policy %q is not known", c.Base.Policy)
	}
	to := n.chains[c.Name]
	to.priority, to.nat, to.drops = at+offset, c.Base.Type == "nat", c.Base.Policy == "drop"
	r.add(h, to)
	return nil
}

// nftSet is a set or a map. A map has words of data for each entry of the table, and
// verdicts are decisions.
type nftSet struct {
	types []string
	data  []string
	table space.Table
	words [][]string
	// decisions are by the words' index, if the data are verdicts.
	decisions []decision
}

func (n *nftTable) addSet(s *nftlist.Set) error {
	if s.Has("dynamic") {
		return n.addAffinity(s)
	}
	list, err := n.fill(s.Type, s.Data, s.Elements)
	if err != nil {
		return fmt.Errorf("line %d: set %s: %w", s.Line, s.Name, err)
	}
	if s.Has("timeout") {
		return fmt.Errorf("line %d: set %s: elements with a timeout are not known", s.Line, s.Name)
	}
	n.sets[s.Name] = list
	return nil
}

// addAffinity adds a set that rules fill with clients. Its elements are those of clients that
// have connected before, which are not judged.
func (n *nftTable) addAffinity(s *nftlist.Set) error {
	if s.Map || len(s.Type) != 1 || s.Type[0] != n.addressType() || s.Timeout == "" {
		return fmt.Errorf("line %d: set %s: such a dynamic set is not known", s.Line, s.Name)
	}
	seconds, err := duration(s.Timeout)
	if err != nil {
		return fmt.Errorf("line %d: set %s: %w", s.Line, s.Name, err)
	}
	n.affinities[s.Name] = &affinity{s.Name, seconds}
	return nil
}

// duration reads nft's durations: "1d2h3m4s".
func duration(text string) (uint32, error) {
	days, rest, has := strings.Cut(text, "d")
	if !has {
		days, rest = "0", text
	}
	n, err := strconv.ParseUint(days, 10, 12)
	d := time.Duration(0)
	if err == nil && rest != "" {
		d, err = time.ParseDuration(rest)
	}
	if err != nil || d < 0 {
		return 0, fmt.Errorf("the duration %q is not known", text)
	}
	return uint32((time.Duration(n)*24*time.Hour + d).Seconds()), nil
}

func (n *nftTable) addressType() string {
	if n.ipv6 {
		return "ipv6_addr"
	}
	return "ipv4_addr"
}

// fill reads elements of the types.
func (n *nftTable) fill(types, data []string, list []nftlist.Element) (*nftSet, error) {
	s := &nftSet{types: types, data: data}
	for _, e := range list {
		if len(e.Key) != len(types) {
			return nil, fmt.Errorf("line %d: %d parts of a key of %d", e.Line, len(e.Key), len(types))
		}
		key := make([]space.Interval, len(types))
		for i, text := range e.Key {
			var err error
			if key[i], err = n.interval(types[i], text); err != nil {
				return nil, fmt.Errorf("line %d: %w", e.Line, err)
			}
		}
		s.table.Add(key, 0, len(s.words))
		s.words = append(s.words, e.Data)
		if len(data) == 1 && data[0] == "verdict" {
			d, err := n.verdict(e.Data)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", e.Line, err)
			}
			s.decisions = append(s.decisions, d)
		}
	}
	return s, nil
}

// verdict reads the words of a verdict; the chain exists.
func (n *nftTable) verdict(words []string) (decision, error) {
	switch {
	case len(words) == 2 && (words[0] == "jump" || words[0] == "goto"):
		c := n.chains[words[1]]
		if c == nil {
			return decision{}, fmt.Errorf("no chain %q", words[1])
		}
		return decision{map[string]verdict{"jump": jump, "goto": goTo}[words[0]], c}, nil
	case len(words) == 1:
		if v, known := map[string]verdict{"accept": accept, "drop": drop, "return": giveBack, "continue": goOn}[words[0]]; known {
			return decision{verdict: v}, nil
		}
	}
	return decision{}, fmt.Errorf("the verdict %q is not known", words)
}
