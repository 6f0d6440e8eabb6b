package report

import "github.com/planec/planec/ir"

// Map is who can reach whom, as the page draws it.
type Map struct {
	Workloads []Workload `json:"workloads"`
	Edges     []Edge     `json:"edges"`
	// Folded reports that namespaces stand for workloads, of which there are too many.
	Folded bool `json:"folded,omitempty"`
}

// Workload is an end of edges: the replicas of a workload, or addresses outside.
type Workload struct {
	Name      string `json:"name"` // as people call it: shop/web, outside, 10.0.0.0/8
	Namespace string `json:"namespace,omitempty"`
	Outside   bool   `json:"outside,omitempty"`
	Pods      int    `json:"pods,omitempty"` // of pods, or of workloads in a folded map
}

// Edge is what may connect from one workload to another.
type Edge struct {
	From  int    `json:"from"`  // the number of the workload that connects
	To    int    `json:"to"`    // the number of the workload that it connects to
	Ports string `json:"ports"` // a list such as "80/tcp, 53/udp", or "every port"
	// Change is "opened" or "closed" for ports that came or went, else "".
	Change string `json:"change,omitempty"`
	// Because are the rules that decide.
	Because []Because `json:"because,omitempty"`
}

// Because is a rule with its place.
type Because struct {
	Text   string    `json:"text"`
	Origin ir.Origin `json:"origin"`
	// Old reports that the rule is only in the old state.
	Old bool `json:"old,omitempty"`
}
