package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/review/dialects"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// dialectsJSON is what --dialects adds to `trace -o json`.
type dialectsJSON struct {
	// Alone is what the policies of each dialect decide without the others.
	Alone []dialectJSON `json:"alone"`
	// Engines is what Calico and Cilium would decide.
	Engines []dialectJSON `json:"engines"`
	// Differences are sentences.
	Differences []string `json:"differences"`
}

type dialectJSON struct {
	Name    string           `json:"name"`
	Verdict dialects.Verdict `json:"verdict"`
	Steps   []dialectStep    `json:"steps"`
}

type dialectStep struct {
	Stage  string    `json:"stage"`
	Text   string    `json:"text"`
	Origin ir.Origin `json:"origin"`
}

// withDialects answers the question by dialects, and returns what writes it behind the
// trace.
func (t *traceCommand) withDialects(l *loaded, c netpath.Connection) (func(io.Writer, netpath.Outcome) error, error) {
	a, err := dialects.Ask(&l.objects, l.cluster, c)
	if err != nil {
		return nil, err
	}
	var locator manifest.Locator
	defer locator.Close()
	for i := range a.Shares {
		locateSteps(&locator, a.Shares[i].Steps)
	}
	for i := range a.Engines {
		locateSteps(&locator, a.Engines[i].Steps)
	}
	if t.format == "json" {
		return func(w io.Writer, o netpath.Outcome) error {
			out := newTraceJSON(o)
			out.Dialects = newDialectsJSON(&a)
			return encodeTrace(w, out)
		}, nil
	}
	return func(w io.Writer, o netpath.Outcome) error {
		if err := writeTraceText(w, o); err != nil {
			return err
		}
		return writeDialects(w, &a)
	}, nil
}

func locateSteps(locator *manifest.Locator, steps []dialects.Step) {
	for i := range steps {
		steps[i].Origin = locator.Locate(steps[i].Origin)
	}
}

func newDialectsJSON(a *dialects.Answer) *dialectsJSON {
	out := &dialectsJSON{Differences: append([]string{}, a.Differences...)}
	steps := func(list []dialects.Step) []dialectStep {
		out := make([]dialectStep, len(list))
		for i, s := range list {
			out[i] = dialectStep{s.Stage, s.Text, s.Origin}
		}
		return out
	}
	for _, s := range a.Shares {
		out.Alone = append(out.Alone, dialectJSON{s.Dialect, s.Verdict, steps(s.Steps)})
	}
	for _, e := range a.Engines {
		out.Engines = append(out.Engines, dialectJSON{e.Engine, e.Verdict, steps(e.Steps)})
	}
	return out
}

// writeDialects writes the shares of the dialects, the readings of the engines, and
// where these differ.
func writeDialects(w io.Writer, a *dialects.Answer) error {
	var b strings.Builder
	line := func(name, verdict string, steps []dialects.Step) {
		fmt.Fprintf(&b, "  %-13s %s\n", name, verdict)
		for i := range steps {
			fmt.Fprintf(&b, "  %-13s   %s: %s\n", "", steps[i].Stage, dialects.Short(&steps[i]))
			if where := originLine(steps[i].Origin); where != "" {
				fmt.Fprintf(&b, "  %-13s     %s\n", "", where)
			}
		}
	}
	b.WriteString("\nthe policies of each dialect alone\n")
	for _, s := range a.Shares {
		switch {
		case s.Objects == 0:
			line(s.Dialect, "has no policies here", nil)
		case s.Verdict == dialects.Nothing:
			line(s.Dialect, "says nothing about it", nil)
		default:
			line(s.Dialect, verdictWords[s.Verdict], s.Steps)
		}
	}
	b.WriteString("\nwhat an engine would make of its own policies and of Kubernetes'\n")
	for _, e := range a.Engines {
		line(e.Engine, verdictWords[e.Verdict], e.Steps)
	}
	if len(a.Differences) == 0 {
		b.WriteString("\nno difference\n")
	}
	for i, d := range a.Differences {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString("different: " + d + "\n")
	}
	lines := strings.Split(b.String(), "\n")
	for i, l := range lines {
		lines[i] = diag.Printable(l)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n"))
	return err
}

var verdictWords = map[dialects.Verdict]string{
	dialects.Allow: "allows it", dialects.Deny: "denies it", dialects.Partly: "denies it for some endpoints", dialects.Nothing: "allows it: no policy is about it",
}
