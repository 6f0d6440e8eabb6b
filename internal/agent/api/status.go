package api

import (
	"strconv"
	"time"

	"github.com/planec/planec/ir/diag"
)

// State is how the kernel compares with what it should have.
type State string

// The states.
const (
	// InSync is that the kernel has what the objects say, as far as is known.
	InSync State = "in sync"
	// Starting is that the agent has not applied anything yet.
	Starting State = "starting"
	// Changing is that changes wait or are being applied.
	Changing State = "changing"
	// Behind is that the last apply failed; the rules from before serve.
	Behind State = "behind"
	// Differs is that the kernel differs from what was applied last, and no agent runs.
	Differs State = "differs"
	// Nothing is that nothing was applied, and no agent runs.
	Nothing State = "nothing applied"
)

// Status is how a node's rules are doing. Times are RFC 3339 in JSON, in UTC.
type Status struct {
	// Agent is the running agent; nil without one.
	Agent *Agent `json:"agent,omitempty"`
	// Versions of planec, of the agent where one runs, and of the kernel.
	Versions Versions `json:"versions"`
	// Backend is the one that serves; "" where nothing was applied.
	Backend string `json:"backend"`
	State   State  `json:"state"`  // one word for the whole: see the constants
	InSync  bool   `json:"inSync"` // whether the kernel has what the objects say
	// Reasons say what is missing, a sentence each.
	Reasons []string `json:"reasons,omitempty"`
	// Services and Policies are how many objects the rules are of; Services counts
	// those with a frontend, Policies those that concern a pod of the node. Without an
	// agent they are not known.
	Services *int `json:"services,omitempty"`
	Policies *int `json:"policies,omitempty"`
	// GivenUp is how many objects are refused or closed because they cannot be
	// enforced.
	GivenUp int `json:"givenUp,omitempty"`
	// LastChange is when rules changed last, LastCompared when the whole kernel was
	// compared; nil where that is not known.
	LastChange   *time.Time `json:"lastChange,omitempty"`
	LastCompared *time.Time `json:"lastCompared,omitempty"`
	// Drift is what other processes changed.
	Drift Drift `json:"drift"`
	// Differences are the steps that would put the kernel right, without an agent.
	Differences []string `json:"differences,omitempty"`
	// Findings are what there is to say about objects, files, settings and ports.
	Findings []Finding `json:"findings"`
}

// Agent is a running agent.
type Agent struct {
	PID     int       `json:"pid"`     // the process ID, in the agent's own namespace
	Node    string    `json:"node"`    // the Node that the rules are for
	Source  string    `json:"source"`  // where objects come from: "api" or a directory
	Started time.Time `json:"started"` // when the process began
}

// Versions are those of what is at work.
type Versions struct {
	Planec string `json:"planec"`           // the version of the program that answers
	Agent  string `json:"agent,omitempty"`  // the version of the running agent; "" without one
	Kernel string `json:"kernel,omitempty"` // the kernel's release, as uname -r prints it
}

// Drift counts how often another process changed the rules and the agent restored
// them.
type Drift struct {
	Count int        `json:"count"`          // since the agent started
	Last  *time.Time `json:"last,omitempty"` // when it was noticed last; nil is never
	// Steps are the first of those that restored the rules the last time.
	Steps []string `json:"steps,omitempty"`
}

// Finding is a diagnostic in JSON.
type Finding struct {
	Severity string `json:"severity"`         // "error", "warning" or "info"
	Code     string `json:"code"`             // "PLC" and four digits
	Message  string `json:"message"`          // what was found
	Object   string `json:"object,omitempty"` // kind, namespace and name; "" without an object
	Field    string `json:"field,omitempty"`  // the path in the object; "" is all of it
	File     string `json:"file,omitempty"`   // the file of the object; "" is none
	Line     int    `json:"line,omitempty"`   // counts from 1; 0 is unknown
	Hint     string `json:"hint,omitempty"`   // what can be done
}

// Findings are diagnostics for a Status.
func Findings(all diag.List) []Finding {
	out := make([]Finding, 0, len(all))
	for _, d := range all {
		out = append(out, Finding{
			Severity: d.Severity().String(), Code: string(d.Code), Message: diag.Printable(d.Message), Object: diag.Printable(d.Origin.Object()),
			Field: diag.Printable(d.Origin.Path), File: diag.Printable(d.Origin.File), Line: d.Origin.Line, Hint: d.Hint(),
		})
	}
	return out
}

// String is the line that a diagnostic is.
func (f Finding) String() string {
	text := f.Severity + " " + f.Code + ": "
	if f.Object != "" {
		if text += f.Object; f.Field != "" {
			text += " " + f.Field
		}
		text += ": "
	}
	text += f.Message
	if f.File == "" {
		return text
	}
	if f.Line > 0 {
		return f.File + ":" + strconv.Itoa(f.Line) + ": " + text
	}
	return f.File + ": " + text
}
