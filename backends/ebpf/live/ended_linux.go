package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path/filepath"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/planec/planec/backends/ebpf/bpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// Connection is a UDP socket that is connected to a Service.
type Connection struct {
	// Cookie is the kernel's number of the socket.
	Cookie uint64
	// Namespace is the inode of the network namespace of the socket.
	Namespace uint32
	// Service is what the socket was connected to, and Endpoint what it got.
	Service, Endpoint netip.AddrPort
}

// connectionSize is the size of struct connection of bpf/ended.c.
const connectionSize = 48

// Connections lists the UDP sockets of all network namespaces that the programs connected
// to an endpoint. Such a socket goes on sending to its endpoint when that is gone. It
// needs the kernel's BTF and Linux 5.9; without pinned maps there are none.
func (s *Sockets) Connections() ([]Connection, error) {
	c, origin, err := s.ended("connected")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing connected sockets: %w", err)
	}
	defer c.Close()
	defer origin.Close()
	data, err := walk(link.IterOptions{Program: c.Programs["connected"], Map: origin})
	if err != nil {
		return nil, fmt.Errorf("listing connected sockets: %w", explain(err))
	}
	list := make([]Connection, 0, len(data)/connectionSize)
	for ; len(data) >= connectionSize; data = data[connectionSize:] {
		list = append(list, decodeConnection(data))
	}
	return list, nil
}

// ended loads one of the programs of bpf/ended.c, with the pinned map of origins.
func (s *Sockets) ended(program string) (*ebpf.Collection, *ebpf.Map, error) {
	origin, err := ebpf.LoadPinnedMap(filepath.Join(s.Dir, namePrefix+"origin"), nil)
	if err != nil {
		return nil, nil, err
	}
	spec, err := bpf.LoadEnded()
	if err != nil {
		return nil, nil, errors.Join(err, origin.Close())
	}
	for name := range spec.Programs {
		if name != program {
			delete(spec.Programs, name)
		}
	}
	spec.Maps[endedMap].MaxEntries = endedAtOnce
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: map[string]*ebpf.Map{namePrefix + "origin": origin}})
	if err != nil {
		return nil, nil, errors.Join(explain(err), origin.Close())
	}
	return c, origin, nil
}

// endedMap has the cookies of sockets to close, at most endedAtOnce.
const (
	endedMap    = namePrefix + "ended"
	endedAtOnce = 4096
)

// walk runs an iterator of the kernel to its end.
func walk(o link.IterOptions) (data []byte, err error) {
	it, err := link.AttachIter(o)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	r, err := it.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// decodeConnection reads a struct connection.
func decodeConnection(b []byte) Connection {
	at := func(a, p int) netip.AddrPort {
		return netip.AddrPortFrom(layout.Address(b[a:]).Addr(), binary.BigEndian.Uint16(b[p:]))
	}
	return Connection{
		Cookie: binary.LittleEndian.Uint64(b), Namespace: binary.LittleEndian.Uint32(b[8:]),
		Service: at(12, 44), Endpoint: at(28, 46),
	}
}

// Close closes sockets: a read of their owners fails with ECONNABORTED, a write with
// EDESTADDRREQ. It returns how many were closed;
// the others were closed by their owners, or are in a network namespace of which no
// process is known here. It needs Linux 6.5.
func (s *Sockets) Close(list []Connection) (closed int, err error) {
	if len(list) == 0 {
		return 0, nil
	}
	c, origin, err := s.ended("abort_ended")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("closing sockets of endpoints that are gone: %w", err)
	}
	defer c.Close()
	defer origin.Close()
	for len(list) > 0 {
		n := min(len(list), endedAtOnce)
		done, err := closeSockets(c, list[:n])
		closed += done
		if err != nil {
			return closed, fmt.Errorf("closing sockets of endpoints that are gone: %w", err)
		}
		list = list[n:]
	}
	return closed, nil
}

// closeSockets closes sockets in each of their namespaces.
func closeSockets(c *ebpf.Collection, list []Connection) (closed int, err error) {
	cookies, where := c.Maps[endedMap], make(map[uint32]bool)
	for _, x := range list {
		where[x.Namespace] = true
		if err := cookies.Put(x.Cookie, uint32(0)); err != nil {
			return 0, err
		}
	}
	err = inNamespaces(where, func() error {
		_, err := walk(link.IterOptions{Program: c.Programs["abort_ended"]})
		return explain(err)
	})
	for _, x := range list {
		var done uint32
		if cookies.Lookup(x.Cookie, &done) == nil {
			closed += int(done)
		}
		_ = cookies.Delete(x.Cookie)
	}
	return closed, err
}
