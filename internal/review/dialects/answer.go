package dialects

import (
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir/eval"
)

// Verdict is what some policies make of a connection.
type Verdict string

// The verdicts.
const (
	Allow Verdict = "allow"
	Deny  Verdict = "deny"
	// Partly is a Service some of whose endpoints are denied.
	Partly Verdict = "partly"
	// Nothing is policies that select neither end, or none.
	Nothing Verdict = "nothing"
)

// Step is what the policies of one direction of one end decide.
type Step = eval.Step

// Share is what the policies of one dialect decide alone.
type Share struct {
	Dialect string // "Kubernetes", "Calico" or "Cilium"
	Objects int    // how many policies of the dialect there are
	Verdict Verdict
	Steps   []Step // of policies alone
}

// Reading is what an engine makes of its own policies and of those of Kubernetes.
type Reading struct {
	Engine  string // "Calico" or "Cilium"
	Verdict Verdict
	Steps   []Step
}

// Answer is the answer to one question.
type Answer struct {
	Shares  []Share
	Engines []Reading
	// Differences are sentences about engines that decide in another way than
	// Kubernetes' policies do by their text.
	Differences []string
}

// Ask answers a question. The cluster is that of the objects, and gives the settings.
func Ask(set *objects.Set, cluster *compiler.Cluster, c netpath.Connection) (Answer, error) {
	var out Answer
	for _, d := range dialects() {
		s := Share{Dialect: d.name, Objects: d.count(set), Verdict: Nothing}
		if s.Objects > 0 {
			var err error
			if s.Verdict, s.Steps, err = trace(d.alone(set), cluster, c); err != nil {
				return Answer{}, fmt.Errorf("the policies of %s alone: %w", d.name, err)
			}
		}
		out.Shares = append(out.Shares, s)
	}
	for _, e := range engines() {
		read, named := e.read(set)
		verdict, steps, err := trace(read, cluster, c)
		if err != nil {
			return Answer{}, fmt.Errorf("as %s reads policies: %w", e.name, err)
		}
		for i := range steps {
			named.restore(&steps[i])
		}
		out.Engines = append(out.Engines, Reading{e.name, verdict, steps})
	}
	out.Differences = out.differences()
	return out, nil
}

// trace asks the question of other objects.
func trace(set *objects.Set, cluster *compiler.Cluster, c netpath.Connection) (Verdict, []Step, error) {
	o, err := netpath.New(set, cluster.Together(set), netpath.Evaluator).Trace(c)
	if err != nil {
		return "", nil, err
	}
	var steps []Step
	said := false
	for _, h := range o.Hops {
		for _, s := range h.Result.Steps {
			if s.Stage != "ingress" && s.Stage != "egress" {
				continue
			}
			if s.Origin.Kind == "" {
				continue // no policy decides
			}
			said = true
			if !slices.ContainsFunc(steps, func(t Step) bool { return t.Text == s.Text }) {
				steps = append(steps, s)
			}
		}
	}
	switch {
	case !said:
		return Nothing, nil, nil
	case o.Reaches():
		return Allow, steps, nil
	case o.Verdict == eval.DNAT:
		return Partly, steps, nil
	}
	return Deny, steps, nil
}

// would says what a verdict does to the connection.
var would = map[Verdict]string{Allow: "allow this", Deny: "deny this", Partly: "deny this for some endpoints", Nothing: "allow this, since no policy is about it"}

// says is the same of a text.
var says = map[Verdict]string{Allow: "allows it", Deny: "denies it", Partly: "denies it for some endpoints"}

// admits is what a verdict comes to: what no policy is about is allowed.
func (v Verdict) admits() Verdict {
	if v == Nothing {
		return Allow
	}
	return v
}

// differences compares what engines do with what Kubernetes' policies say by their text,
// and dialects with each other.
func (a *Answer) differences() []string {
	var out []string
	text := a.Shares[0]
	for _, e := range a.Engines {
		if text.Verdict != Nothing && e.Verdict.admits() != text.Verdict {
			out = append(out, fmt.Sprintf("%s would %s, Kubernetes' text %s", e.Engine, would[e.Verdict], says[text.Verdict]))
		}
	}
	for i, s := range a.Shares {
		for _, t := range a.Shares[i+1:] {
			if s.Verdict != Nothing && t.Verdict != Nothing && s.Verdict != t.Verdict {
				out = append(out, fmt.Sprintf("the policies of %s alone would %s, those of %s alone would %s", s.Dialect, would[s.Verdict], t.Dialect, would[t.Verdict]))
			}
		}
	}
	return out
}

// Short is a step's text without the packet that it is about.
func Short(s *Step) string {
	if _, rest, found := strings.Cut(s.Text, ": "); found {
		return rest
	}
	return s.Text
}
