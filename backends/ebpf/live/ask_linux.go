package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/bpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// Question is a connection that a socket could open.
type Question struct {
	To       netip.AddrPort // an IPv4 address is not mapped
	Protocol uint8          // IPPROTO_TCP or IPPROTO_UDP
	Node     bool           // whether the socket is in the node's own network namespace
	// Draws are two random numbers, from which an endpoint is drawn.
	Draws [2]uint32
}

// Answer is what becomes of a connection.
type Answer struct {
	// Verdict is 1 for a connection that goes to Endpoint, 0 for one that is left
	// alone, and a negative errno for one that is refused.
	Verdict  int
	Endpoint netip.AddrPort
}

// wireQuestion is struct question of bpf/socket.c.
type wireQuestion struct {
	Address             layout.Address
	Port                layout.Port
	Protocol            uint8
	IPv6                bool
	Node, First, Second uint32
	Netns               uint64
	Verdict             int32
	Answered            uint32
}

// wireQuestionAt is QUESTION_AT of bpf/include/kernel.h.
const wireQuestionAt = 64

// Ask runs the decision of the socket programs on the maps that are pinned, by
// BPF_PROG_TEST_RUN. Nothing is remembered of it: a Service with affinity draws for every
// question. ErrNoImage says that there are no maps.
func (s *Sockets) Ask(questions []Question) ([]Answer, error) {
	c, err := s.asking()
	if err != nil {
		return nil, fmt.Errorf("asking the programs of sockets: %w", err)
	}
	defer c.Close()
	answers := make([]Answer, len(questions))
	for i, q := range questions {
		if answers[i], err = ask(c.Programs["ask"], q, uint64(i)); err != nil {
			return nil, fmt.Errorf("asking the programs of sockets about %v: %w", q.To, explain(err))
		}
	}
	return answers, nil
}

// asking loads the program with the pinned maps of the image, and maps of its own for
// what programs remember.
func (s *Sockets) asking() (*ebpf.Collection, error) {
	spec, err := bpf.LoadSocket()
	if err != nil {
		return nil, err
	}
	for name := range spec.Programs {
		if name != "ask" {
			delete(spec.Programs, name)
		}
	}
	maps := make(map[string]*ebpf.Map)
	defer func() {
		for _, m := range maps {
			_ = m.Close()
		}
	}()
	for name := range spec.Maps {
		if name[0] == '.' || slices.Contains(stateMaps[:], name) {
			continue
		}
		m, err := ebpf.LoadPinnedMap(filepath.Join(s.Dir, name), nil)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("map %s: %w", name, ErrNoImage)
		}
		if err != nil {
			return nil, fmt.Errorf("map %s: %w", name, explain(err))
		}
		maps[name] = m
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: maps})
	return c, explain(err)
}

func ask(p *ebpf.Program, q Question, client uint64) (Answer, error) {
	in := wireQuestion{
		Address: layout.AddressOf(q.To.Addr()), Port: layout.PortOf(q.To.Port()), Protocol: q.Protocol, IPv6: q.To.Addr().Is6(),
		First: q.Draws[0], Second: q.Draws[1], Netns: client,
	}
	if q.Node {
		in.Node = 1
	}
	data, err := binary.Append(make([]byte, wireQuestionAt), binary.LittleEndian, in)
	if err != nil {
		return Answer{}, err
	}
	out := make([]byte, len(data)+64)
	if _, err := p.Run(&ebpf.RunOptions{Data: data, DataOut: out}); err != nil {
		return Answer{}, err
	}
	var got wireQuestion
	if _, err := binary.Decode(out[wireQuestionAt:], binary.LittleEndian, &got); err != nil {
		return Answer{}, err
	}
	if got.Answered != 1 {
		return Answer{}, ErrNoImage
	}
	return Answer{Verdict: int(got.Verdict), Endpoint: netip.AddrPortFrom(got.Address.Addr(), got.Port.Number())}, nil
}

// Refusal is the errno of a refused connection, or 0.
func (a Answer) Refusal() unix.Errno { return unix.Errno(max(0, -a.Verdict)) }
