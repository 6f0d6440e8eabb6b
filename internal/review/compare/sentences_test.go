package compare

import (
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/diffreport"
)

// word is one word with what may be in a name.
var word = regexp.MustCompile(`[A-Za-z0-9_./=,-]+`)

// TestSentences reads what is said of random changes: no word stands there twice in
// a row, and what opens does not close in another sentence.
func TestSentences(t *testing.T) {
	counts := make(map[diffreport.Kind]int)
	for seed := uint64(1); seed <= 600; seed++ {
		g := &policyPair{Rand: rand.New(rand.NewPCG(seed, 15)), flavour: &flavours[seed%uint64(len(flavours))]}
		before, after := g.states()
		r := States(NewState(before, compiler.Prepare(before, g.config())), NewState(after, compiler.Prepare(after, g.config())))
		for i := range r.Findings {
			counts[r.Findings[i].Kind]++
			if w := doubled(r.Findings[i].Sentence()); w != "" {
				t.Errorf("seed %d: %q stands there twice: %s", seed, w, r.Findings[i].Sentence())
			}
			if p := repeatedPart(r.Findings[i].Sentence()); p != "" {
				t.Errorf("seed %d: %q is said twice: %s", seed, p, r.Findings[i].Sentence())
			}
			if text := r.Findings[i].Sentence(); strings.Contains(text, "  ") || strings.Contains(text, " on ,") || strings.Contains(text, "from on") {
				t.Errorf("seed %d: something is missing: %s", seed, text)
			}
		}
		if a, b := contradiction(r); a != "" {
			t.Errorf("seed %d: these contradict each other:\n%s\n%s", seed, a, b)
		}
	}
	if counts[diffreport.Opened] < 100 || counts[diffreport.Closed] < 100 {
		t.Errorf("%v: one of them hardly occurs", counts)
	}
}

// doubled returns a word that stands twice in a row.
func doubled(text string) string {
	words := word.FindAllString(text, -1)
	for i := range words[1:] {
		if words[i] == words[i+1] {
			return words[i]
		}
	}
	return ""
}

// between is what stands between the parts of a list, and before the first and after the
// last one.
var between = regexp.MustCompile(`\. |, | and | or | on every | on any | on port | on [0-9]| reach | reached from | can | still | only `)

// repeatedPart returns what a finding names twice: in one list, or in the one of what changes
// and the one of what stays, on all ports.
func repeatedPart(text string) string {
	seen := make(map[string]bool)
	change, stays, _ := strings.Cut(text, ". ")
	if strings.Contains(stays, " on ") {
		text = change
	}
	for _, part := range between.Split(text, -1) {
		if !strings.HasPrefix(part, "the rest of the world") && !strings.HasPrefix(part, "outside") {
			continue
		}
		if part = strings.TrimSuffix(part, "."); seen[part] {
			return part
		}
		seen[part] = true
	}
	return ""
}

// TestRest wants the rest of the world to be named once, and by its family where the other
// family's is not meant.
func TestRest(t *testing.T) {
	outside := func(network, name string) *entity {
		return &entity{role: outsideRole, name: name, network: netip.MustParsePrefix(network)}
	}
	four, six, one := outside("0.0.0.0/0", ""), outside("::/0", ""), outside("192.0.2.0/24", "192.0.2.0/24")
	for want, list := range map[string][]*entity{
		"the rest of the world":                            {four, six},
		"192.0.2.0/24 and the rest of the world":           {one, four, six},
		"the rest of the world over IPv4":                  {four},
		"the rest of the world over IPv6 and 192.0.2.0/24": {six, one},
	} {
		if got := clusterwide.Join(describeOutside(list, false, 2), "and"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := describeOutside([]*entity{four}, false, 1); !slices.Equal(got, []string{theRest}) {
		t.Errorf("the only one: %q", got)
	}
}

// contradiction returns two sentences of which one says that something opens, and the
// other that it closes.
func contradiction(r *diffreport.Report) (opened, closed string) {
	overlap := func(a, b []string) bool {
		return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
	}
	for i := range r.Findings {
		for j := range r.Findings {
			a, b := &r.Findings[i], &r.Findings[j]
			if a.Kind != diffreport.Opened || b.Kind != diffreport.Closed || a.Service+b.Service != "" {
				continue
			}
			if overlap(a.From, b.From) && overlap(a.To, b.To) && samePorts(a.Ports, b.Ports) {
				return a.Sentence(), b.Sentence()
			}
		}
	}
	return "", ""
}

// samePorts reports whether two lists of ports have one in common. "Every port but"
// a few has all that are not among these.
func samePorts(a, b string) bool {
	split := func(s string) (list []string, but bool) {
		rest, but := strings.CutPrefix(s, "every port but ")
		return regexp.MustCompile(`, | and `).Split(rest, -1), but
	}
	x, notX := split(a)
	y, notY := split(b)
	switch {
	case a == clusterwide.WordEveryPort || b == clusterwide.WordEveryPort || notX && notY:
		return true
	case notX || notY:
		if notY {
			x, y = y, x
		}
		return slices.ContainsFunc(y, func(p string) bool {
			return !slices.Contains(x, p) && !strings.HasPrefix(p, "every ") && p != "protocols without ports"
		})
	}
	return slices.ContainsFunc(x, func(p string) bool { return slices.Contains(y, p) })
}

// TestContradictions holds that the test above can fail.
func TestContradictions(t *testing.T) {
	finding := func(k diffreport.Kind, ports string) diffreport.Finding {
		return diffreport.Finding{Kind: k, From: []string{"a/x"}, To: []string{"a/y"}, Ports: ports, Text: string(k)}
	}
	for ports, want := range map[[2]string]bool{
		{"80/tcp", "443/tcp"}: false, {"80/tcp and 81/tcp", "81/tcp"}: true, {"every port but 80/tcp", "80/tcp"}: false,
		{"every port but 80/tcp", "81/tcp"}: true, {"every port", "5/udp"}: true,
	} {
		r := &diffreport.Report{Findings: []diffreport.Finding{finding(diffreport.Opened, ports[0]), finding(diffreport.Closed, ports[1])}}
		if a, _ := contradiction(r); (a != "") != want {
			t.Errorf("%v: %q", ports, a)
		}
	}
	if doubled("reached from from a") != "from" || doubled("from a and b") != "" {
		t.Error("doubled words")
	}
}
