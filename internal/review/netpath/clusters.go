package netpath

import "fmt"

// InCluster returns pods as those of a cluster among several, called "cluster/namespace/pod".
func InCluster(pods []Pod, cluster string) []Pod {
	for i := range pods {
		pods[i].Cluster = cluster
		pods[i].text = cluster + "/" + pods[i].Namespace + "/" + pods[i].Name
	}
	return pods
}

// MatrixOfClusters is [Network.Matrix] of the pods of several clusters, each with its network, by
// name. A connection from one cluster to another arrives if the first one lets it leave, to an address
// outside, and the other one lets it in, from an address outside; policies there may know the pod that has it.
func MatrixOfClusters(networks map[string]*Network, pods []Pod, ports []Port, yield func(from, to *Pod, port Port, allowed bool)) error {
	inside := make(map[string]*matrix, len(networks))
	for name, n := range networks {
		inside[name] = &matrix{network: n, pods: pods, views: make(map[string]*view)}
	}
	for i := range pods {
		for j := range pods {
			from, to := &pods[i], &pods[j]
			var err error
			switch {
			case i == j:
				continue
			case from.Cluster == to.Cluster:
				err = inside[from.Cluster].pair(from, to, ports, yield)
			default:
				err = across(networks[from.Cluster], networks[to.Cluster], from, to, ports, yield)
			}
			if err != nil {
				return fmt.Errorf("%v to %v: %w", from, to, err)
			}
		}
	}
	return nil
}

// across asks both clusters.
func across(a, b *Network, from, to *Pod, ports []Port, yield func(from, to *Pod, port Port, allowed bool)) error {
	src, dst, ok := Common(from.Addresses, to.Addresses, from.Primary)
	for _, port := range ports {
		if !ok {
			yield(from, to, port, false)
			continue
		}
		c := Connection{Src: src, Dst: dst, Protocol: port.Protocol, Port: port.Number, FromHost: from.Place.Host, Node: from.Place.Node}
		leaves, err := a.Trace(c)
		if err != nil {
			return fmt.Errorf("port %d/%v: %w", port.Number, port.Protocol, err)
		}
		c.FromHost, c.Node = false, to.Place.Node
		arrives, err := b.Trace(c)
		if err != nil {
			return fmt.Errorf("port %d/%v: %w", port.Number, port.Protocol, err)
		}
		yield(from, to, port, leaves.Reaches() && arrives.Reaches())
	}
	return nil
}
