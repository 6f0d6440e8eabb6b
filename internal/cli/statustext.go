//go:build !js

package cli

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/agent/api"
	"github.com/planec/planec/ir/diag"
)

// mostShown bounds the findings and differences in a status text.
const mostShown = 20

// writeStatus prints a status for people.
func writeStatus(w io.Writer, s *api.Status, now time.Time) error {
	buffer := bufio.NewWriter(w) // it keeps errors
	out := tabwriter.NewWriter(buffer, 0, 8, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%s\t%s\n", name, diag.Printable(fmt.Sprintf(format, args...)))
	}
	line("state", "%s", statusSentence(s))
	for _, r := range s.Reasons {
		line("", "%s", r)
	}
	if a := s.Agent; a != nil {
		line("agent", "PID %d, node %s, objects from %s, started %s", a.PID, a.Node, a.Source, ago(&a.Started, now))
	} else if s.State != api.Starting {
		line("agent", "none runs")
	}
	for _, at := range programsText(s.Programs) {
		line("programs", "%s", at)
	}
	line("last change", "%s", ago(s.LastChange, now))
	line("last comparison", "%s", ago(s.LastCompared, now))
	if s.Agent != nil {
		line("drift", "%s", driftText(&s.Drift, now))
		line("findings", "%s", findingsText(s.Findings))
	}
	line("versions", "%s", versionsText(&s.Versions))
	if err := out.Flush(); err != nil {
		return err
	}
	list(buffer, s.Differences)
	var worth []string
	for _, f := range s.Findings {
		if f.Severity != diag.Info.String() {
			worth = append(worth, f.String())
		}
	}
	list(buffer, worth)
	return buffer.Flush()
}

// programsText names the programs, a line for each place.
func programsText(programs []backends.ServedProgram) (lines []string) {
	at := make(map[string][]string)
	for _, p := range programs {
		at[p.At] = append(at[p.At], p.Name)
	}
	for _, place := range slices.Sorted(maps.Keys(at)) {
		names := strings.Join(at[place], " ")
		if place == "" {
			lines = append(lines, "detached: "+names)
			continue
		}
		lines = append(lines, "on "+place+": "+names)
	}
	return lines
}

func list(w io.Writer, lines []string) {
	for _, l := range lines[:min(len(lines), mostShown)] {
		fmt.Fprintln(w, "  "+diag.Printable(l))
	}
	if more := len(lines) - mostShown; more > 0 {
		fmt.Fprintf(w, "  and %d more: -o json has all\n", more)
	}
}

// statusSentence describes the state and what is served.
func statusSentence(s *api.Status) string {
	text := string(s.State)
	var parts []string
	if s.Services != nil && s.Policies != nil {
		parts = append(parts, count(*s.Services, "Service"), count(*s.Policies, "policy"))
	}
	if s.Backend != "" {
		parts = append(parts, s.Backend)
	}
	if s.State == api.Differs {
		text = "the kernel differs from what was applied last (" + count(len(s.Differences), "step") + " would put it right)"
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if s.GivenUp > 0 {
		text += "; " + count(s.GivenUp, "object") + " given up"
	}
	return text
}

// ago formats a time and how long ago it was.
func ago(t *time.Time, now time.Time) string {
	if t == nil {
		return "not known"
	}
	return fmt.Sprintf("%s (%s ago)", t.UTC().Format(time.RFC3339), max(now.Sub(*t), 0).Truncate(time.Second))
}

func driftText(d *api.Drift, now time.Time) string {
	if d.Count == 0 {
		return "none: no other process changed the rules"
	}
	text := count(d.Count, "time")
	if d.Last != nil {
		text += ", last " + ago(d.Last, now)
	}
	if len(d.Steps) > 0 {
		text += ": " + d.Steps[0]
	}
	return text
}

func findingsText(all []api.Finding) string {
	by := make(map[string]int)
	for _, f := range all {
		by[f.Severity]++
	}
	return count(by["error"], "error") + ", " + count(by["warning"], "warning") + ", " + count(by["info"], "note")
}

func versionsText(v *api.Versions) string {
	text := "planec " + v.Planec
	if v.Agent != "" {
		text += ", agent " + v.Agent
	}
	if v.Kernel != "" {
		text += ", Linux " + v.Kernel
	}
	return text
}
