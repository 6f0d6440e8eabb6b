package cli

import (
	"fmt"

	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/review/smallpage"
)

// tracePath is a trace as columns: the source, the Service, the nodes on the way in order,
// and the endpoints.
func tracePath(o netpath.Outcome) [][]smallpage.Box {
	const most = 8
	source, arrives, denied := o.Ends()
	out := [][]smallpage.Box{{{Text: source}}}
	if svc := o.Service(); svc != "" {
		out = append(out, []smallpage.Box{{Text: svc}})
	}
	var nodes []string
	for _, h := range o.Hops {
		node := h.Node
		if node == "" {
			node = "the pod's node"
		}
		if len(nodes) == 0 || nodes[len(nodes)-1] != node {
			nodes = append(nodes, node)
		}
	}
	for i, n := range nodes {
		if i > 1 && len(arrives)+len(denied) > 1 {
			break // load balancing leads to several nodes, which are beside each other
		}
		out = append(out, []smallpage.Box{{Text: n}})
	}
	if len(nodes) > 2 && len(arrives)+len(denied) > 1 {
		out[len(out)-1] = nil
		for _, n := range nodes[1:] {
			out[len(out)-1] = append(out[len(out)-1], smallpage.Box{Text: n})
		}
	}
	var ends []smallpage.Box
	for _, name := range arrives {
		ends = append(ends, smallpage.Box{Text: name})
	}
	for _, name := range denied {
		ends = append(ends, smallpage.Box{Text: name, Bad: true})
	}
	if len(ends) == 0 {
		ends = []smallpage.Box{{Text: o.Verdict.String(), Bad: true}}
	}
	if len(ends) > most {
		ends = append(ends[:most:most], smallpage.Box{Text: fmt.Sprintf("%d more", len(ends)-most)})
	}
	return append(out, ends)
}
