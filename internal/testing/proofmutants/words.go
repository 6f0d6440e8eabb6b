package proofmutants

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// replace changes one of the places of an expression, of its first group if it has one,
// outside of quotes. It returns the line itself if there is none.
func (t *text) replace(line string, where *regexp.Regexp, change func(string) string) string {
	var places [][]int
	for _, m := range where.FindAllStringSubmatchIndex(line, -1) {
		place := m[len(m)-2:]
		if place[0] >= 0 && strings.Count(line[:place[0]], `"`)%2 == 0 {
			places = append(places, place)
		}
	}
	if len(places) == 0 {
		return line
	}
	p := pick(t.rng, places)
	return line[:p[0]] + change(line[p[0]:p[1]]) + line[p[1]:]
}

// Words of the languages of nft, iptables, ipset and ipvsadm.
var (
	portWord    = regexp.MustCompile(`(?:port |ports |tcp:|udp:|sctp:| \. |\]:|\d:|\d-)(\d{1,5})(?:[^0-9.:/]|$)`)
	addressWord = regexp.MustCompile(`[ =,\t[-]((?:\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*))(?:[^0-9a-f.:/]|:\d+|/32|/128|$)`)
	prefixWord  = regexp.MustCompile(`((?:\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*)/\d+)`)
	markWord    = regexp.MustCompile(`(0x[0-9a-f]+|-f \d+|: [0-9a-f]{1,4}:[0-9a-f]{1,4}\b)`)
	chanceWord  = regexp.MustCompile(`(--probability \S+|-w \d+| mod \d+)`)
	timeWord    = regexp.MustCompile(`(--seconds \d+|-p \d+|--timeout \d+|timeout \d+[hms]?)`)
)

// offByOne returns a number next to another one.
func (t *text) offByOne(number string) string {
	n, err := strconv.Atoi(number)
	if err != nil {
		return number
	}
	if n == 65535 || n > 0 && t.rng.IntN(2) == 0 {
		return strconv.Itoa(n - 1)
	}
	return strconv.Itoa(n + 1)
}

func (t *text) port(_ int, line string) string { return t.replace(line, portWord, t.offByOne) }

func (t *text) address(_ int, line string) string {
	return t.replace(line, addressWord, func(word string) string {
		a, err := netip.ParseAddr(word)
		if err != nil {
			return word
		}
		next := a.Next()
		if t.rng.IntN(2) == 0 {
			next = a.Prev()
		}
		if !next.IsValid() {
			return word
		}
		return next.String()
	})
}

// prefix makes a network half or twice as large.
func (t *text) prefix(_ int, line string) string {
	return t.replace(line, prefixWord, func(word string) string {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			return word
		}
		bits := p.Bits() + 1 - 2*t.rng.IntN(2)
		if bits < 0 || bits > p.Addr().BitLen() {
			return word
		}
		return netip.PrefixFrom(p.Addr(), bits).Masked().String()
	})
}

// verdicts are words with the others that may be in their place.
var verdicts = []struct {
	word *regexp.Regexp
	to   []string
}{
	{regexp.MustCompile(`(-j REJECT.*)$`), []string{"-j DROP", "-j ACCEPT", "-j RETURN"}},
	{regexp.MustCompile(`(-j (?:ACCEPT|DROP|RETURN))$`), []string{"-j DROP", "-j ACCEPT", "-j RETURN"}},
	{regexp.MustCompile(`[ \t](accept|drop|return|reject)$`), []string{"accept", "drop", "return", "reject"}},
	{regexp.MustCompile(`: ((?:goto|jump) [^ ,]+|return|drop|accept),?$`), []string{"drop", "accept", "return"}},
	{regexp.MustCompile(` (masquerade fully-random)$`), []string{"accept", "return"}},
	{regexp.MustCompile(`(-j MASQUERADE.*)$`), []string{"-j RETURN"}},
}

func (t *text) verdict(_ int, line string) string {
	v := pick(t.rng, verdicts)
	return t.replace(line, v.word, func(string) string { return pick(t.rng, v.to) })
}

var targetWord = regexp.MustCompile(`(?:goto |jump |-[jg] )(PLC-\S+|[a-z][^ ,]*)`)

// target goes to another chain of the table.
func (t *text) target(at int, line string) string {
	chains := t.chains[t.table[at]]
	if len(chains) == 0 {
		return line
	}
	return t.replace(line, targetWord, func(string) string { return pick(t.rng, chains) })
}

// comesBack exchanges goto and jump.
func (t *text) comesBack(_ int, line string) string {
	return t.exchange(line, [][2]string{{"goto ", "jump "}, {"-g ", "-j "}})
}

// exchange replaces one word of a pair by the other.
func (t *text) exchange(line string, pairs [][2]string) string {
	p := pick(t.rng, pairs)
	return t.replace(line, regexp.MustCompile(regexp.QuoteMeta(p[0])+"|"+regexp.QuoteMeta(p[1])), func(word string) string {
		if word == p[0] {
			return p[1]
		}
		return p[0]
	})
}

// mark changes a bit of a mark.
func (t *text) mark(_ int, line string) string {
	return t.replace(line, markWord, func(word string) string {
		at := strings.LastIndexAny(word, "x :") + 1
		base, width := 16, len(word)-at
		if strings.HasPrefix(word, "-f") {
			base, width = 10, 0
		}
		n, err := strconv.ParseUint(word[at:], base, 32)
		if err != nil {
			return word
		}
		n ^= 1 << t.rng.IntN(15)
		if base == 10 {
			return word[:at] + strconv.FormatUint(n, 10)
		}
		return word[:at] + fmt.Sprintf("%0*x", width, n)
	})
}

func (t *text) probability(_ int, line string) string {
	return t.replace(line, chanceWord, func(word string) string {
		at := strings.LastIndex(word, " ") + 1
		if p, err := strconv.ParseFloat(word[at:], 64); err == nil && strings.HasPrefix(word, "--") {
			return word[:at] + strconv.FormatFloat(p*0.9, 'f', 11, 64)
		}
		return word[:at] + t.offByOne(word[at:])
	})
}

// endpointWord is where a packet is sent to.
var endpointWord = regexp.MustCompile(`(?:--to-destination |-r |\bcomment "[^"]*" : )(\[[^]]*\]:\d+|\d+\.\d+\.\d+\.\d+:\d+|[0-9a-f:.]{7,} \. \d+)`)

// endpoint takes an endpoint of another line.
func (t *text) endpoint(at int, line string) string {
	return t.replace(line, endpointWord, func(word string) string {
		var others []string
		for i, l := range t.lines {
			if m := endpointWord.FindStringSubmatch(l); m != nil && t.table[i] == t.table[at] && m[1] != word && strings.Contains(m[1], ".") == strings.Contains(word, ".") {
				others = append(others, m[1])
			}
		}
		if len(others) == 0 {
			return word
		}
		return pick(t.rng, others)
	})
}

var affirmed = regexp.MustCompile(`((?:-m set |-[sd] |--dport |addr @|addr type |ct status |-m ipvs --ipvs))`)

// negation removes a negation, or adds one.
func (t *text) negation(_ int, line string) string {
	if out := t.replace(line, regexp.MustCompile(`(! |!= )`), func(string) string { return "" }); out != line {
		return out
	}
	return t.replace(line, affirmed, func(word string) string {
		switch {
		case strings.HasPrefix(word, "-m "):
			return word[:strings.LastIndex(strings.TrimSpace(word), " ")+1] + "! " + word[strings.LastIndex(strings.TrimSpace(word), " ")+1:]
		case strings.HasPrefix(word, "-"):
			return "! " + word
		}
		return strings.TrimRight(word, "@") + map[bool]string{true: " != @", false: "!= "}[strings.HasSuffix(word, "@")]
	})
}

// protocol exchanges protocols, in the whole line.
func (t *text) protocol(_ int, line string) string {
	for _, p := range [][2]string{{"-t ", "-u "}, {"-u ", "-t "}, {"tcp", "udp"}, {"udp", "tcp"}, {"sctp", "udp"}} {
		if out := strings.ReplaceAll(line, p[0], p[1]); out != line && !strings.Contains(line, "tcp-flags") && !strings.Contains(line, "ctstate") {
			return out
		}
	}
	return line
}

func (t *text) state(_ int, line string) string {
	return t.exchange(line, [][2]string{{"NEW", "ESTABLISHED"}, {"state new", "state established"}, {"INVALID", "NEW"}, {"invalid", "new"}, {"RELATED,", ""}, {",related", ""}, {"DNAT ", "SNAT "}})
}

func (t *text) time(_ int, line string) string {
	return t.replace(line, timeWord, func(word string) string {
		at := strings.LastIndex(word, " ") + 1
		digits := strings.TrimRight(word[at:], "hms")
		return word[:at] + t.offByOne(digits) + word[at+len(digits):]
	})
}

// direction exchanges source and destination.
func (t *text) direction(_ int, line string) string {
	return t.exchange(line, [][2]string{{" src", " dst"}, {"-s ", "-d "}, {"saddr", "daddr"}, {"dport", "sport"}, {"internal", "external"}})
}
