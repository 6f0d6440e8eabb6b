package netpath

import (
	"fmt"
	"net/netip"
	"sync"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// Judge decides what one node does with a packet.
type Judge interface {
	Eval(eval.Packet) (eval.Result, error)
}

// Evaluator returns the judge that evaluates the program itself.
func Evaluator(p *ir.Program) (Judge, error) { return certain{eval.New(p)}, nil }

// certain adapts the evaluator, which never fails.
type certain struct{ *eval.Evaluator }

func (c certain) Eval(p eval.Packet) (eval.Result, error) { return c.Evaluator.Eval(p), nil }

// Network is a cluster with the rules of its nodes. It is safe for concurrent
// use.
type Network struct {
	cluster *compiler.Cluster
	judge   func(*ir.Program) (Judge, error)
	owners  map[netip.Addr]Owner
	set     *objects.Set // for sentences only

	// endpoints are the nodes of endpoints, as slices say them; for words only.
	slices    sync.Once
	endpoints map[netip.Addr]string

	mu    sync.Mutex
	nodes map[string]*node
}

// node holds one node's rules, compiled when the first packet reaches it.
type node struct {
	once    sync.Once
	program *ir.Program
	judge   Judge
	err     error

	why      sync.Once
	policies *clusterwide.Policies // for sentences only
}

// reasons returns the node's policies, which tell the rules about all ports.
func (v *node) reasons() *clusterwide.Policies {
	v.why.Do(func() { v.policies = clusterwide.New([]*ir.Program{v.program}, make(clusterwide.Interned)) })
	return v.policies
}

// New makes a network from a prepared cluster and its objects.
func New(set *objects.Set, cluster *compiler.Cluster, judge func(*ir.Program) (Judge, error)) *Network {
	return &Network{cluster: cluster, judge: judge, owners: Owners(set), set: set, nodes: make(map[string]*node)}
}

// Owner returns the owner of an address; the zero Owner is outside.
func (n *Network) Owner(a netip.Addr) Owner { return n.owners[a] }

// Program returns the program of one node. The name "" stands for pods without
// a node: their policies hold wherever they will be scheduled.
func (n *Network) Program(name string) *ir.Program { return n.node(name).program }

func (n *Network) node(name string) *node {
	n.mu.Lock()
	v := n.nodes[name]
	if v == nil {
		v = &node{}
		n.nodes[name] = v
	}
	n.mu.Unlock()
	v.once.Do(func() {
		v.program, _ = n.cluster.Program(name)
		if v.judge, v.err = n.judge(v.program); v.err != nil {
			v.err = fmt.Errorf("node %s: %w", name, v.err)
		}
	})
	return v
}
