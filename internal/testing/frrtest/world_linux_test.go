package frrtest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// world is a cluster that is written as manifests.
type world struct {
	rng      *rand.Rand
	services []*service
	excluded map[string]bool // nodes without load balancers
	next     int

	length      int    // of announced IPv4 networks
	localPref   int    // of the first advertisement
	communities string // of the second one
	pools       string // of the first one, in YAML
	peers       string // of the second one, in YAML
	spineNodes  string // a selector of nodes for the peer spine, in YAML
	withSpine   bool
	torIPv6     bool // the peer tor has its IPv6 address too
}

type service struct {
	n     int // of its address
	local bool
	pool  int // 1 or 2
	nodes []string
}

func firstWorld() *world {
	return &world{
		rng: rand.New(rand.NewPCG(41, 2)), excluded: make(map[string]bool), next: 3, length: 32, localPref: 200, communities: "blue", pools: "[]", peers: "[]",
		spineNodes: "{}", withSpine: true, torIPv6: true,
		services: []*service{{n: 1, pool: 1, nodes: []string{"a"}}, {n: 2, pool: 1, local: true, nodes: []string{"a", "b"}}},
	}
}

// some returns some of the nodes.
func (w *world) some() []string {
	return slices.DeleteFunc([]string{"a", "b", "c"}, func(string) bool { return w.rng.IntN(2) == 0 })
}

func (w *world) comes() {
	w.next++
	w.services = append(w.services, &service{n: w.next, pool: 1 + w.rng.IntN(2), local: w.rng.IntN(2) == 0, nodes: w.some()})
}

// change changes one thing and says which.
func (w *world) change() string {
	switch w.rng.IntN(10) {
	case 0:
		w.comes()
		return "a Service comes"
	case 1:
		if len(w.services) > 3 {
			i := w.rng.IntN(len(w.services))
			w.services = slices.Delete(w.services, i, i+1)
		}
		return "a Service goes"
	case 2, 3:
		w.services[w.rng.IntN(len(w.services))].nodes = w.some()
		return "endpoints move"
	case 4:
		s := w.services[w.rng.IntN(len(w.services))]
		s.local = !s.local
		return "another traffic policy"
	case 5:
		n := string(rune('a' + w.rng.IntN(3)))
		w.excluded[n] = !w.excluded[n]
		return "another node is excluded"
	case 6:
		w.withSpine = !w.withSpine
		return "a peer comes or goes"
	case 7:
		w.spineNodes = []string{"{}", "{matchLabels: {rack: r1}}", "{matchLabels: {rack: r2}}"}[w.rng.IntN(3)]
		return "a peer is for other nodes"
	case 8:
		w.length, w.localPref, w.communities = []int{32, 32, 30, 28}[w.rng.IntN(4)], 100+w.rng.IntN(200), []string{"blue", "65535:65281", `"large:64512:1:2"`}[w.rng.IntN(3)]
		return "other attributes"
	}
	w.pools, w.peers = []string{"[]", "[one]", "[two]"}[w.rng.IntN(3)], []string{"[]", "[tor]", "[spine]"}[w.rng.IntN(3)]
	return "other pools and peers of advertisements"
}

// text writes the manifests.
func (w *world) text() string {
	var b strings.Builder
	doc := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n---\n", args...) }
	for i, n := range []string{"a", "b", "c"} {
		more := ""
		if w.excluded[n] {
			more = `, node.kubernetes.io/exclude-from-external-load-balancers: ""`
		}
		doc("apiVersion: v1\nkind: Node\nmetadata: {name: %s, labels: {rack: r%d%s}}\nstatus: {addresses: [{type: InternalIP, address: 10.9.0.%d}]}", n, 1+i/2, more, i+3)
	}
	peer := func(name, address string, as int, nodes, more string) {
		doc("apiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: {name: %s, namespace: m}\nspec: {myASN: 64512, peerASN: %d, peerAddress: %q, holdTime: 9s, connectTime: 1s, nodeSelectors: [%s]%s}", name, as, address, nodes, more)
	}
	peer("tor", "10.9.0.1", 64513, "{}", ", bfdProfile: quick")
	if w.torIPv6 {
		peer("tor-v6", "fd09::1", 64513, "{}", "")
	}
	if w.withSpine {
		peer("spine", "10.9.0.2", 64512, w.spineNodes, ", dualStackAddressFamily: true")
	} else {
		peer("spine", "10.9.0.250", 64512, "{}", "") // advertisements name it
	}
	doc("apiVersion: metallb.io/v1beta1\nkind: BFDProfile\nmetadata: {name: quick, namespace: m}\nspec: {receiveInterval: 200, transmitInterval: 200, detectMultiplier: 5}")
	doc("apiVersion: metallb.io/v1beta1\nkind: Community\nmetadata: {name: names, namespace: m}\nspec: {communities: [{name: blue, value: \"64512:10\"}]}")
	doc("apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: one, namespace: m}\nspec: {addresses: [203.0.113.0/24, \"fd00:77::/64\"]}")
	doc("apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: {name: two, namespace: m}\nspec: {addresses: [198.51.100.0/24, \"fd00:88::/64\"]}")
	doc("apiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata: {name: first, namespace: m}\nspec: {localPref: %d, aggregationLength: %d, ipAddressPools: %s}", w.localPref, w.length, w.pools)
	doc("apiVersion: metallb.io/v1beta1\nkind: BGPAdvertisement\nmetadata: {name: second, namespace: m}\nspec: {localPref: %d, communities: [%s], peers: %s}", w.localPref, w.communities, w.peers)
	for _, s := range w.services {
		s.write(doc)
	}
	return b.String()
}

func (s *service) write(doc func(string, ...any)) {
	policy, v4, v6 := "Cluster", "203.0.113", "fd00:77:"
	if s.local {
		policy = "Local"
	}
	if s.pool == 2 {
		v4, v6 = "198.51.100", "fd00:88:"
	}
	doc("apiVersion: v1\nkind: Service\nmetadata: {name: s%d}\nspec: {type: LoadBalancer, externalTrafficPolicy: %s, clusterIPs: [], ports: [{port: 80}]}\nstatus: {loadBalancer: {ingress: [{ip: %s.%d}, {ip: \"%s:%x\"}]}}", s.n, policy, v4, s.n, v6, s.n)
	for f, family := range []string{"IPv4", "IPv6"} {
		var endpoints []string
		for i, n := range s.nodes {
			endpoints = append(endpoints, fmt.Sprintf("{addresses: [%q], nodeName: %s}", []string{fmt.Sprintf("10.0.%d.%d", s.n, i+1), fmt.Sprintf("fd00:a::%x:%x", s.n, i+1)}[f], n))
		}
		doc("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s%d-%d, labels: {kubernetes.io/service-name: s%d}}\naddressType: %s\nports: [{name: \"\", port: 80}]\nendpoints: [%s]", s.n, f, s.n, family, strings.Join(endpoints, ", "))
	}
}
