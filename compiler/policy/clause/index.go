package clause

import (
	"slices"
	"sync"
)

// index finds pods of a cluster. Its parts are made when they are first needed, and
// every front end uses the same.
type index struct {
	namesOnce, labelsOnce sync.Once
	names                 map[string]*Namespace
	// labelled has the places of pods in the cluster, ascending.
	labelled map[Label][]int
}

// Namespace returns the namespace of a name, or nil. It is safe for concurrent use.
func (c *Cluster) Namespace(name string) *Namespace {
	c.index.namesOnce.Do(func() {
		c.index.names = make(map[string]*Namespace, len(c.Namespaces))
		for _, n := range c.Namespaces {
			c.index.names[n.Name] = n
		}
	})
	return c.index.names[name]
}

// Among returns at least the pods of a namespace, "" being all, that have all labels, and
// one of each of the choices, in the order of the cluster: few, if one of the labels is
// rare. It is safe for concurrent use.
func (c *Cluster) Among(namespace string, labels []Label, choices ...[]Label) []*Pod {
	best := c.Pods
	if namespace != "" {
		best = nil
		if n := c.Namespace(namespace); n != nil {
			best = n.Pods
		}
	}
	if len(labels) == 0 && len(choices) == 0 {
		return best
	}
	c.index.labelsOnce.Do(c.indexLabels)
	places, narrower := []int(nil), false
	for _, l := range labels {
		choices = append(choices, []Label{l})
	}
	most := len(best)
	for _, choice := range choices {
		count := 0
		for _, l := range choice {
			count += len(c.index.labelled[l])
		}
		if count < most {
			most, narrower, places = count, true, c.labelled(choice)
		}
	}
	if !narrower {
		return best
	}
	out := make([]*Pod, len(places))
	for i, at := range places {
		out[i] = c.Pods[at]
	}
	return out
}

// labelled returns the places of the pods that have one of the labels, ascending.
func (c *Cluster) labelled(choice []Label) []int {
	if len(choice) == 1 {
		return c.index.labelled[choice[0]]
	}
	var out []int
	for _, l := range choice {
		out = append(out, c.index.labelled[l]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *Cluster) indexLabels() {
	c.index.labelled = make(map[Label][]int)
	for at, p := range c.Pods {
		for k, v := range p.Labels {
			l := Label{k, v}
			c.index.labelled[l] = append(c.index.labelled[l], at)
		}
	}
}
