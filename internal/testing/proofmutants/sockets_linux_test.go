package proofmutants_test

import (
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestSocketsConfirm is TestKernelConfirms for the programs of sockets, alone: they must
// read wrong images of maps as the proof does.
func TestSocketsConfirm(t *testing.T) {
	testkit.Require(t)
	t.Parallel()
	c := &confirmation{
		T: t, loader: socketLoader, backend: image.New(backends.DefaultOptions()),
		program: services, decides: socketDecides, sockets: true,
	}
	c.all()
}

// services is a cluster without what only packets are judged by: policies, source ranges,
// and the node's own masquerade.
func services(seed uint64) *ir.Program {
	c := randomcluster.New(seed)
	p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
	p.Policy, p.Masquerade = ir.Policy{}, ir.Masquerade{}
	for i := range p.Frontends {
		p.Frontends[i].SourceRanges = nil
	}
	return p
}

// socketDecides reports whether the socket of a packet's connection is of a local pod or
// of the node, also to a program of packets: only then both take the same route.
func socketDecides(p *ir.Program, packet eval.Packet, _ *eval.Result) bool {
	local := packet.From == eval.FromNode || packet.From == eval.FromPod && p.Node.Local.Mode == ir.DetectCIDR &&
		slices.ContainsFunc(p.Node.Local.CIDRs, func(x netip.Prefix) bool { return x.Contains(packet.Src) })
	return local && packet.Protocol != ir.SCTP
}

// socketLoader loads an image, and attaches the programs to a cgroup of the rig's sockets.
// The cgroup is made before the rig, whose threads must leave it first.
func socketLoader(t *testing.T) loader {
	sockets := live.Sockets{Dir: filepath.Join(testkit.BPFFS(t), "maps"), Cgroup: testkit.Cgroup(t, live.CgroupRoot())}
	return func(r *testkit.Rig, files backends.Artifact) error {
		img, err := image.Read(files.File(image.ImageFile))
		if err != nil {
			return err
		}
		pins := live.NewPins(sockets.Dir)
		have, err := pins.Observe(t.Context())
		if err != nil {
			return err
		}
		if err := pins.Apply(t.Context(), live.NewPlan(have, img)); err != nil {
			return err
		}
		if err := r.Do(func() error { _, err := sockets.Attach(t.Context()); return err }); err != nil {
			return err
		}
		t.Cleanup(func() {
			if _, err := sockets.Detach(); err != nil {
				t.Error(err)
			}
		})
		return r.JoinCgroup(sockets.Cgroup)
	}
}
