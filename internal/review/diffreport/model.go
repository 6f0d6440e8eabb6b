package diffreport

import (
	"strings"

	"github.com/planec/planec/ir"
)

// Kind is the topic of a finding. Kinds are listed by importance, the most
// important first, and so are findings.
type Kind string

// The kinds.
const (
	// Opened is a path that is reachable now and was not before.
	Opened Kind = "opened"
	// Closed is the opposite.
	Closed Kind = "closed"
	// Source is a change of the source address that the endpoints see.
	Source Kind = "source"
	// Refusal is a change of how an unreachable destination answers.
	Refusal Kind = "refusal"
	// Endpoints is a Service with changed endpoints.
	Endpoints Kind = "endpoints"
	// Affinity is a change of whether clients keep their endpoint.
	Affinity Kind = "affinity"
	// Addresses is a Service that gets, loses or changes an address of a pool.
	Addresses Kind = "addresses"
	// Added are new workloads and Services, Removed those that are gone.
	Added   Kind = "added"
	Removed Kind = "removed"
)

// Kinds lists them in order.
func Kinds() []Kind {
	return []Kind{Opened, Closed, Source, Refusal, Endpoints, Addresses, Affinity, Added, Removed}
}

// Reason is a responsible object, or a field of one.
type Reason struct {
	// Text is a clause: "NetworkPolicy shop/db was removed".
	Text   string    `json:"text"`
	Origin ir.Origin `json:"origin"` // the place of the object or field
	// Old reports that the origin is only in the old state.
	Old bool `json:"old,omitempty"`
}

// Finding is one change of the network's behaviour.
type Finding struct {
	Kind Kind `json:"kind"` // the topic, such as "opened" or "closed"
	// Urgent findings come first among those of their kind.
	Urgent bool `json:"urgent,omitempty"`
	// Text is a sentence without its full stop and without the reasons.
	Text    string   `json:"text"`
	Reasons []Reason `json:"because,omitempty"` // the responsible objects, the most important first
	// Besides is a sentence about who could connect before, or still can.
	Besides string `json:"besides,omitempty"`
	// From, To and Ports state the path of Text for programs: workloads as
	// namespace/name, "node/NAME", or addresses. Service is "namespace/name".
	From    []string `json:"from,omitempty"`    // who connects
	To      []string `json:"to,omitempty"`      // the destinations
	Ports   string   `json:"ports,omitempty"`   // a list such as "80/tcp, 53/udp"; "" is all
	Service string   `json:"service,omitempty"` // the connection's Service; "" without one
	// Size measures what is concerned; larger findings come first.
	Size int `json:"-"`
}

// Sentence returns the text with its reasons, their places, and Besides.
func (f *Finding) Sentence() string {
	var b strings.Builder
	b.WriteString(f.Text)
	for i, r := range f.Reasons {
		if i == 0 {
			b.WriteString(", because ")
		} else {
			b.WriteString(" and ")
		}
		b.WriteString(r.Text)
		if pos := r.Origin.Position(); pos != "" {
			b.WriteString(" (" + pos + ")")
		}
	}
	if f.Besides != "" {
		b.WriteString(". " + f.Besides)
	}
	return b.String()
}

// Change is how an object changed.
type Change string

// The changes.
const (
	ObjectAdded   Change = "added"
	ObjectRemoved Change = "removed"
	ObjectChanged Change = "changed"
)

// Object is one object that differs.
type Object struct {
	Change Change `json:"change"` // added, removed or changed
	// Origin is in the new state, or in the old one for a removed object.
	Origin ir.Origin `json:"origin"`
	// Fields are the fields that differ, with both values.
	Fields []Field `json:"fields,omitempty"`
}

// Field is a field that differs; "" means that the field is missing.
type Field struct {
	Path string `json:"path"`          // such as "spec.ports[0].port"
	Old  string `json:"old,omitempty"` // the value before, in JSON
	New  string `json:"new,omitempty"` // the value after, in JSON
}

// Rules is the difference of one backend's file, on all nodes where the
// difference is the same.
type Rules struct {
	Backend string   `json:"backend"` // the backend of the file
	Nodes   []string `json:"nodes"`   // sorted
	File    string   `json:"file"`    // the name of the artifact's file
	Added   int      `json:"added"`   // the number of new lines
	Removed int      `json:"removed"` // the number of removed lines
	// Hunks are pieces of a unified diff; empty if only the counts were
	// requested.
	Hunks []string `json:"hunks,omitempty"`
}

// Report is the whole result.
type Report struct {
	// OldRevision prefixes the file names of the old state, followed by a colon; "" is
	// no prefix.
	OldRevision string `json:"-"`
	// Old and New are the user's names of the two states.
	Old      string    `json:"old"`
	New      string    `json:"new"`      // a revision, a path, or both
	Findings []Finding `json:"findings"` // by kind, the most important first
	Objects  []Object  `json:"objects"`  // by kind, namespace and name
	Rules    []Rules   `json:"rules"`    // by backend and file
	// Notes say what could not be compared, and why.
	Notes []string `json:"notes,omitempty"`
	// Unknown reports that something that could not be compared may change the
	// network: then an empty report does not mean that nothing changes.
	Unknown bool `json:"unknown,omitempty"`
}

// AddUnknown notes something that was not compared and may change the network.
func (r *Report) AddUnknown(note string) {
	r.Notes, r.Unknown = append(r.Notes, note), true
}

// Empty reports whether nothing differs.
func (r *Report) Empty() bool { return len(r.Findings)+len(r.Objects)+len(r.Rules) == 0 }

// Count returns the number of findings of the kind.
func (r *Report) Count(k Kind) int {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Kind == k {
			n++
		}
	}
	return n
}

// EachOrigin calls f for every origin; old reports that it is in the old state.
func (r *Report) EachOrigin(f func(o *ir.Origin, old bool)) {
	for i := range r.Findings {
		for j := range r.Findings[i].Reasons {
			reason := &r.Findings[i].Reasons[j]
			f(&reason.Origin, reason.Old)
		}
	}
	for i := range r.Objects {
		f(&r.Objects[i].Origin, r.Objects[i].Change == ObjectRemoved)
	}
}
