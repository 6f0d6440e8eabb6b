package dataplane

import (
	"context"
	"fmt"

	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
)

// Live is what the eBPF backend has in this node's kernel, to be asked.
type Live struct {
	// Image is what the maps have.
	Image   *ebpf.Image
	sockets live.Sockets
}

// OpenLive reads the maps that are pinned below a directory of a BPF file system.
func OpenLive(ctx context.Context, dir string) (*Live, error) {
	have, err := live.NewPins(dir).Observe(ctx)
	if err != nil {
		return nil, err
	}
	if have.Image == nil {
		return nil, fmt.Errorf("%s: %w", dir, live.ErrNoImage)
	}
	return &Live{Image: have.Image, sockets: live.Sockets{Dir: dir}}, nil
}

// Ask runs the decision of the socket programs in the kernel.
func (l *Live) Ask(questions []live.Question) ([]live.Answer, error) { return l.sockets.Ask(questions) }
