package diffreport

import (
	"strings"

	"github.com/planec/planec/ir"
)

// Kind is what a finding is about. Kinds are listed with the most important
// first, and so are findings.
type Kind string

// The kinds.
const (
	// Opened is something that can be reached now and could not before.
	Opened Kind = "opened"
	// Closed is the opposite.
	Closed Kind = "closed"
	// Source is a change of which source address the endpoints see.
	Source Kind = "source"
	// Refusal is a change of how something unreachable answers.
	Refusal Kind = "refusal"
	// Endpoints is a Service with others behind it than before.
	Endpoints Kind = "endpoints"
	// Affinity is a change of whether clients stay with their endpoint.
	Affinity Kind = "affinity"
	// Added are workloads and Services that are new, Removed those that are gone.
	Added   Kind = "added"
	Removed Kind = "removed"
)

// Kinds lists them in order.
func Kinds() []Kind {
	return []Kind{Opened, Closed, Source, Refusal, Endpoints, Affinity, Added, Removed}
}

// Reason is an object, or a field of one, that is responsible.
type Reason struct {
	// Text is a clause: "NetworkPolicy shop/db was removed".
	Text   string    `json:"text"`
	Origin ir.Origin `json:"origin"` // where the object or the field is written
	// Old is whether the origin is in the old state only.
	Old bool `json:"old,omitempty"`
}

// Finding is one change of what the network does.
type Finding struct {
	Kind Kind `json:"kind"` // what happened, as "opened" or "closed"
	// Urgent findings come first among those of their kind.
	Urgent bool `json:"urgent,omitempty"`
	// Text is a sentence without its full stop and without the reasons.
	Text    string   `json:"text"`
	Reasons []Reason `json:"because,omitempty"` // the objects that made the difference, in order of importance
	// Besides is a sentence on what is left: who could before, who still can.
	Besides string `json:"besides,omitempty"`
	// From, To and Ports say of a path what Text says in words: workloads as
	// namespace/name, "node/NAME", or addresses. Service is "namespace/name".
	From    []string `json:"from,omitempty"`    // who connects
	To      []string `json:"to,omitempty"`      // the destinations
	Ports   string   `json:"ports,omitempty"`   // a list as "80/tcp, 53/udp"; "" is all
	Service string   `json:"service,omitempty"` // the Service that the connection is to; "" without one
	// Size is how much is concerned: larger comes first.
	Size int `json:"-"`
}

// Sentence is the text with the reasons and where they are written, and what is
// left.
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

// Change is what became of an object.
type Change string

// The changes.
const (
	ObjectAdded   Change = "added"
	ObjectRemoved Change = "removed"
	ObjectChanged Change = "changed"
)

// Object is one object that is not what it was.
type Object struct {
	Change Change `json:"change"` // added, removed or changed
	// Origin is in the new state, or in the old one where the object is gone.
	Origin ir.Origin `json:"origin"`
	// Fields are the fields that differ, with both values.
	Fields []Field `json:"fields,omitempty"`
}

// Field is a field that differs; an empty side has no such field.
type Field struct {
	Path string `json:"path"`          // as in "spec.ports[0].port"
	Old  string `json:"old,omitempty"` // the value before, in JSON
	New  string `json:"new,omitempty"` // the value after, in JSON
}

// Rules is how one backend's file differs, on all nodes where it differs in the
// same way.
type Rules struct {
	Backend string   `json:"backend"` // the backend that makes the file
	Nodes   []string `json:"nodes"`   // sorted
	File    string   `json:"file"`    // the name of the artifact's file
	Added   int      `json:"added"`   // how many lines are new
	Removed int      `json:"removed"` // how many lines are gone
	// Hunks are pieces of a unified diff; empty where only the counts were asked
	// for.
	Hunks []string `json:"hunks,omitempty"`
}

// Report is all of it.
type Report struct {
	// OldRevision is how the names of files of the old state begin, with a colon behind
	// it; "" is nothing.
	OldRevision string `json:"-"`
	// Old and New are what the user called the two states.
	Old      string    `json:"old"`
	New      string    `json:"new"`      // a revision, a path, or both
	Findings []Finding `json:"findings"` // by kind, the most important first
	Objects  []Object  `json:"objects"`  // by kind, namespace and name
	Rules    []Rules   `json:"rules"`    // by backend and file
	// Notes say what could not be compared, and why.
	Notes []string `json:"notes,omitempty"`
	// Unknown is whether what could not be compared may change what the network
	// does: that nothing was found is no news then.
	Unknown bool `json:"unknown,omitempty"`
}

// AddUnknown notes what could not be compared and may change what the network does.
func (r *Report) AddUnknown(note string) {
	r.Notes, r.Unknown = append(r.Notes, note), true
}

// Empty reports whether nothing differs.
func (r *Report) Empty() bool { return len(r.Findings)+len(r.Objects)+len(r.Rules) == 0 }

// Count returns how many findings are of the kind.
func (r *Report) Count(k Kind) int {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Kind == k {
			n++
		}
	}
	return n
}

// EachOrigin calls f for every origin, with whether it is in the old state.
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
