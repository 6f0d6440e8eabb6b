package api

import (
	"strconv"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir/diag"
)

// State is the result of comparing the kernel with the wanted rules.
type State string

// The states.
const (
	// InSync means that the kernel matches the objects, as far as is known.
	InSync State = "in sync"
	// Starting means that the agent has not applied anything yet.
	Starting State = "starting"
	// Changing means that changes are waiting or being applied.
	Changing State = "changing"
	// Behind means that the last apply failed; the previous rules remain active.
	Behind State = "behind"
	// Differs means that no agent runs and the kernel differs from what was last applied.
	Differs State = "differs"
	// Nothing means that no agent runs and nothing was applied.
	Nothing State = "nothing applied"
)

// Status is the state of a node's rules. Times in JSON are RFC 3339 in UTC.
type Status struct {
	// Agent is the running agent; nil if there is none.
	Agent *Agent `json:"agent,omitempty"`
	// Versions are those of planec, the running agent and the kernel.
	Versions Versions `json:"versions"`
	// Backend is the active backend; "" if nothing was applied.
	Backend string `json:"backend"`
	// Programs are those that the kernel runs for the backend, and where they are
	// attached; none for a backend that has none.
	Programs []backends.ServedProgram `json:"programs,omitempty"`
	State    State                    `json:"state"`  // the overall state: see the constants
	InSync   bool                     `json:"inSync"` // whether the kernel matches the objects
	// Reasons are the reasons why the node is not in sync, one sentence each.
	Reasons []string `json:"reasons,omitempty"`
	// Services is the number of Services with a frontend, Policies the number of
	// policies that concern a pod of the node; nil if no agent runs.
	Services *int `json:"services,omitempty"`
	Policies *int `json:"policies,omitempty"`
	// GivenUp is the number of objects that cannot be enforced and are refused or
	// closed.
	GivenUp int `json:"givenUp,omitempty"`
	// LastChange is the time of the last change of rules, LastCompared that of the
	// last full comparison; nil if unknown.
	LastChange   *time.Time `json:"lastChange,omitempty"`
	LastCompared *time.Time `json:"lastCompared,omitempty"`
	// Drift describes changes by other processes.
	Drift Drift `json:"drift"`
	// Differences are the steps that would correct the kernel; only set without an agent.
	Differences []string `json:"differences,omitempty"`
	// Findings are the findings about objects, files, settings and ports.
	Findings []Finding `json:"findings"`
}

// Agent is a running agent.
type Agent struct {
	PID     int       `json:"pid"`     // the process ID, in the agent's own namespace
	Node    string    `json:"node"`    // the Node that the rules are for
	Source  string    `json:"source"`  // where objects come from: "api" or a directory
	Started time.Time `json:"started"` // when the process began
}

// Versions are the versions of the involved programs.
type Versions struct {
	Planec string `json:"planec"`           // the version of the program that answers
	Agent  string `json:"agent,omitempty"`  // the version of the running agent; "" without one
	Kernel string `json:"kernel,omitempty"` // the kernel's release, as uname -r prints it
}

// Drift counts the changes of rules by other processes that the agent undid.
type Drift struct {
	Count int        `json:"count"`          // since the agent started
	Last  *time.Time `json:"last,omitempty"` // when it was last noticed; nil means never
	// Steps are the first steps of the last restoration.
	Steps []string `json:"steps,omitempty"`
}

// Finding is a diagnostic in JSON.
type Finding struct {
	Severity string `json:"severity"`         // "error", "warning" or "info"
	Code     string `json:"code"`             // "PLC" and four digits
	Message  string `json:"message"`          // what was found
	Object   string `json:"object,omitempty"` // kind, namespace and name; "" without an object
	Field    string `json:"field,omitempty"`  // the path in the object; "" means the whole object
	File     string `json:"file,omitempty"`   // the file of the object; "" means none
	Line     int    `json:"line,omitempty"`   // counts from 1; 0 is unknown
	Hint     string `json:"hint,omitempty"`   // what can be done
}

// Findings converts diagnostics for a Status.
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

// String returns the finding in the form of a diagnostic's line.
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
