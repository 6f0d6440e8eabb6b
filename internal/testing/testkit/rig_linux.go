package testkit

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"testing"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/vishvananda/netlink"
)

// Rig is a node, its pods and the world. A Rig is not safe for concurrent use;
// different rigs are independent.
type Rig struct {
	spec      Spec
	node      *node
	world     *namespace
	other     *namespace // another node with its pods, behind the tunnel if there is one
	pods      map[netip.Addr]*localPod
	listeners map[Port]bool
	listening bool // whether all namespaces listen
	uplink    cable
	datapath  *datapath // Open vSwitch's, if the layout has one
	// members open the sockets of namespaces that are in a cgroup, if one was joined.
	members map[*namespace]*namespace
	cgroup  string
	closers []func() error
	// mail has the packets of protocols without ports that are under way.
	mail mail
}

// localPod is a pod of the node.
type localPod struct {
	*namespace        // the world's, or its own
	device     string // its interface on the node, or "" if there is none
}

// New builds a rig and closes it when the test ends. It has the requirements of
// [Require].
func New(t testing.TB, s Spec) *Rig {
	t.Helper()
	r, err := Build(s)
	if err != nil {
		t.Fatalf("building the rig: %v", err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("closing the rig: %v", err)
		}
	})
	return r
}

// Build is [New] for callers without a test; they must call Close.
func Build(s Spec) (*Rig, error) {
	r := &Rig{spec: s, pods: make(map[netip.Addr]*localPod), listeners: make(map[Port]bool)}
	if err := r.build(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Rig) build() error {
	if err := r.namespaces(); err != nil {
		return err
	}
	c, err := plug(r.node.namespace, r.world, r.node.uplink, "up", 0, nil)
	if err != nil {
		return err
	}
	for _, f := range ir.Families() {
		if err := r.world.exit(f, uplinkRule, uplinkTable, netip.Addr{}, c); err != nil {
			return err
		}
	}
	r.uplink = c
	if err := r.node.own(r.spec.NodeAddrs, c); err != nil {
		return err
	}
	if err := r.tunnel(); err != nil {
		return err
	}
	for _, pod := range r.spec.Pods {
		if err := r.addPod(pod); err != nil {
			return err
		}
	}
	r.listening = true
	return errors.Join(r.listen(r.spec.Ports), r.listenSCTP(r.sides()...))
}

func (r *Rig) namespaces() (err error) {
	if r.node, err = newNode(r.spec); err != nil {
		return err
	}
	r.world, err = newWorld()
	return err
}

// addPod adds a local pod to the node.
func (r *Rig) addPod(pod netip.Addr) error {
	if _, have := r.pods[pod]; have {
		return nil
	}
	if slices.Contains(r.spec.NodeAddrs, pod) {
		return fmt.Errorf("pod %v: that is the node's own address", pod)
	}
	number := len(r.pods)
	p, err := r.join(pod, number)
	if err != nil {
		return fmt.Errorf("pod %v: %w", pod, err)
	}
	r.pods[pod] = p
	if p.namespace == r.world {
		return nil
	}
	return r.serve(p.namespace)
}

// joinWorld makes a pod an address of the world, with a veth on the node.
func (r *Rig) joinWorld(pod netip.Addr, number int) (*localPod, error) {
	name, err := r.node.podInterface(number)
	if err != nil {
		return nil, err
	}
	c, err := plug(r.node.namespace, r.world, name, fmt.Sprintf("pod%d", number), number+1, r.node.bridge)
	if err != nil {
		return nil, err
	}
	family := ir.FamilyOf(pod)
	if err := r.node.reach(pod, c, firstOf(family, r.spec.NodeAddrs)); err != nil {
		return nil, err
	}
	return &localPod{r.world, name}, errors.Join(r.node.hop(c.nodeIndex, pod, c.worldMAC),
		r.world.exit(family, firstPodRule+number, firstPodTable+number, pod, c))
}

// sides returns all namespaces that listen.
func (r *Rig) sides() []*namespace {
	list := []*namespace{r.node.namespace, r.world}
	if r.other != nil {
		list = append(list, r.other)
	}
	for _, p := range r.pods {
		if p.namespace != r.world {
			list = append(list, p.namespace)
		}
	}
	return list
}

// NodeAddrs returns the possible source addresses of a masqueraded packet.
func (r *Rig) NodeAddrs() []netip.Addr { return slices.Concat(r.spec.NodeAddrs, r.node.more) }

// Do runs f on a thread inside the node's namespace: sockets opened there belong
// to the node. No flow can start while f runs.
func (r *Rig) Do(f func() error) error { return r.node.do(f) }

// Outside runs f on a thread inside the world's namespace, where every address
// except the node's is a client's: bind sockets to the address of the client.
func (r *Rig) Outside(f func() error) error { return r.world.do(f) }

// NodeNamespace returns the node's namespace as a file, for setns(2).
func (r *Rig) NodeNamespace() *os.File { return r.node.file }

// FlushConntrack removes the node's connections, for example before testing other
// rules: a reused UDP port would keep its old translation.
func (r *Rig) FlushConntrack() error {
	if err := r.node.nl.ConntrackTableFlush(netlink.ConntrackTable); err != nil {
		return fmt.Errorf("flush conntrack: %w", err)
	}
	return nil
}

// Packet returns a flow as the node receives it, for the evaluator.
func (r *Rig) Packet(f Flow) eval.Packet {
	f = r.resolve(f)
	p := f.Packet()
	switch f.From {
	case eval.FromPod:
		p.Interface = r.node.inputInterface(r.pods[f.Src].device)
	case eval.FromOutside:
		p.Interface = r.node.uplink
		if r.remote(f.Src) {
			p.Interface = r.spec.Layout.Tunnel.Name
		}
	}
	return p
}

// resolve completes the omitted fields of a flow.
func (r *Rig) resolve(f Flow) Flow {
	if f.From == eval.FromNode && !f.Src.IsValid() {
		f.Src = firstOf(ir.FamilyOf(f.Dst), r.spec.NodeAddrs)
	}
	return f
}

// Close removes the rig. New calls it automatically.
func (r *Rig) Close() error {
	var errs []error
	for _, c := range r.closers {
		errs = append(errs, c())
	}
	r.closers = nil
	for _, p := range r.pods {
		if p.namespace != r.world {
			p.close()
		}
	}
	r.pods = nil
	if r.node != nil {
		r.node.close()
	}
	for _, ns := range []*namespace{r.world, r.other} {
		if ns != nil {
			ns.close()
		}
	}
	r.node, r.world, r.other = nil, nil, nil
	return errors.Join(errs...)
}
