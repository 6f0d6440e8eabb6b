package report

import (
	"fmt"
	"strings"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// finding is a sentence of the summary with what it is about.
type finding struct {
	Kind    string  `json:"kind"`
	Text    string  `json:"text"`
	Objects []int   `json:"objects,omitempty"`
	Places  []place `json:"places,omitempty"`
}

// place is a line of a manifest.
type place struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
	Old  bool   `json:"old,omitempty"` // the line is one of the old state
}

// diagnostic is a diagnostic as the page and its engine exchange it.
type diagnostic struct {
	Severity string `json:"severity"` // error, warning or info
	Code     string `json:"code"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Message  string `json:"message"` // begins with the object and its field
	Hint     string `json:"hint,omitempty"`
	Objects  []int  `json:"objects,omitempty"`
}

func (x *index) findings(all []Finding) []finding {
	out := make([]finding, 0, len(all))
	for _, f := range all {
		made := finding{Kind: f.Kind, Text: diag.Printable(f.Text)}
		for _, r := range f.Reasons {
			o := r.Origin
			if id, known := x.byName[objects.IdentityAt(o)]; known {
				made.Objects = append(made.Objects, id)
			}
			if o.File != "" {
				made.Places = append(made.Places, place{o.File, o.Line, r.Old})
			}
		}
		made.Objects = unique(made.Objects)
		out = append(out, made)
	}
	return out
}

func (x *index) diagnostics(all diag.List, root string) []diagnostic {
	out := make([]diagnostic, 0, len(all))
	for _, d := range all {
		made := diagnostic{
			Severity: d.Severity().String(), Code: string(d.Code), File: strings.TrimPrefix(d.Origin.File, root), Line: d.Origin.Line, Hint: d.Hint(),
			Message: diag.Printable(about(d.Origin) + d.Message),
		}
		if id, known := x.byName[objects.IdentityAt(d.Origin)]; known {
			made.Objects = []int{id}
		}
		out = append(out, made)
	}
	return out
}

// about begins a message with its object and field.
func about(o ir.Origin) string {
	text := strings.TrimSpace(o.Object() + " " + o.Path)
	if text == "" {
		return ""
	}
	return text + ": "
}

// headline says in one line what the page is about.
func headline(in *Input) string {
	if in.Before == nil {
		c := counts(in)
		return fmt.Sprintf("%s and %s on %s, %s", c[0], c[1], c[3], protection(c[2]))
	}
	number := make(map[string]int)
	for _, f := range in.Findings {
		number[f.Kind]++
	}
	opened, closed := number["opened"], number["closed"]
	switch {
	case opened > 0 && closed > 0:
		return fmt.Sprintf("This change opens %s and closes %d", several(opened, "path"), closed)
	case opened > 0:
		return "This change opens " + several(opened, "path") + " and closes none"
	case closed > 0:
		return "This change closes " + several(closed, "path") + " and opens none"
	case number["note"] > 0:
		return "This change opens and closes nothing that could be compared"
	}
	return "This change opens and closes nothing"
}

func protection(policies string) string {
	if policies == "0 policies" {
		return "without a policy"
	}
	return "limited by " + policies
}

// counts says how large the input is.
func counts(in *Input) []string {
	workloads := make(map[string]bool)
	for _, p := range in.Objects.Pods {
		workloads[p.Object.Namespace+"/"+netpath.Workload(p.Object.Name, p.Object.Labels)] = true
	}
	policies := len(in.Objects.NetworkPolicies) + len(in.Objects.ClusterNetworkPolicies) + len(in.Objects.AdminNetworkPolicies) +
		len(in.Objects.BaselineAdminNetworkPolicies) + len(in.Objects.CalicoNetworkPolicies) + len(in.Objects.CalicoGlobalNetworkPolicies) +
		len(in.Objects.CiliumNetworkPolicies) + len(in.Objects.CiliumClusterwideNetworkPolicies)
	nodes := max(len(in.Objects.Nodes), len(in.Nodes))
	out := []string{several(len(in.Objects.Services), "Service"), several(len(workloads), "workload"), policyCount(policies), several(nodes, "node")}
	if n := len(in.Nodes); n < nodes {
		out[3] = fmt.Sprintf("%d of %s", n, several(nodes, "node"))
	}
	return out
}

func policyCount(n int) string {
	if n == 1 {
		return "1 policy"
	}
	return fmt.Sprintf("%d policies", n)
}

func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
