package clause

import "sync"

// index finds pods of a cluster. Its parts are made when they are first needed, and
// every front end uses the same.
type index struct {
	namesOnce, labelsOnce sync.Once
	names                 map[string]*Namespace
	labelled              map[Label][]*Pod
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

// Among returns at least the pods of a namespace, "" being all, that have all labels, in
// the order of the cluster: few, if one of the labels is rare. It is safe for concurrent
// use.
func (c *Cluster) Among(namespace string, labels []Label) []*Pod {
	best := c.Pods
	if namespace != "" {
		best = nil
		if n := c.Namespace(namespace); n != nil {
			best = n.Pods
		}
	}
	if len(labels) == 0 {
		return best
	}
	c.index.labelsOnce.Do(func() {
		c.index.labelled = make(map[Label][]*Pod)
		for _, p := range c.Pods {
			for k, v := range p.Labels {
				l := Label{k, v}
				c.index.labelled[l] = append(c.index.labelled[l], p)
			}
		}
	})
	for _, l := range labels {
		if have := c.index.labelled[l]; len(have) < len(best) {
			best = have
		}
	}
	return best
}
