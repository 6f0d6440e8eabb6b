package store

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/layout"
)

// memory is an array map, mapped: its entries are 8 bytes or a multiple of them apart.
type memory struct {
	data    []byte
	stride  uint32
	entries uint32
}

func mapped(m *ebpf.Map, protection int) (memory, error) {
	stride := (m.ValueSize() + 7) &^ 7
	page := os.Getpagesize()
	size := (int(stride)*int(m.MaxEntries()) + page - 1) &^ (page - 1)
	data, err := unix.Mmap(m.FD(), 0, size, protection, unix.MAP_SHARED)
	if err != nil {
		return memory{}, fmt.Errorf("mapping %v: %w", m, err)
	}
	return memory{data, stride, m.MaxEntries()}, nil
}

// at is an entry.
func (m memory) at(i uint32) []byte { return m.data[int(i)*int(m.stride):][:m.stride:m.stride] }

// word is an entry of 8 bytes, to be read and written at once.
func (m memory) word(i uint32) *uint64 { return (*uint64)(unsafe.Pointer(&m.at(i)[0])) }

func (m memory) load(i uint32) uint64 { return atomic.LoadUint64(m.word(i)) }

// store makes all that was written before visible to every reader of the new value.
func (m memory) store(i uint32, v uint64) { atomic.StoreUint64(m.word(i), v) }

func (m memory) close() error {
	if m.data == nil {
		return nil
	}
	return unix.Munmap(m.data)
}

// memories are the mapped arrays of a generation, and active, which is not mapped for
// reading: the kernel does not map what was opened for reading alone.
type memories struct{ active, words, records, places memory }

func mapAll(m *Maps, protection int) (out memories, err error) {
	for _, x := range []struct {
		to *memory
		of *ebpf.Map
	}{{&out.words, m.Stored[layout.Words]}, {&out.records, m.Stored[layout.Records]}, {&out.places, m.Stored[layout.Places]}} {
		if *x.to, err = mapped(x.of, protection); err != nil {
			return out, errors.Join(err, out.close())
		}
	}
	if protection&unix.PROT_WRITE != 0 {
		if out.active, err = mapped(m.Active, protection); err != nil {
			return out, errors.Join(err, out.close())
		}
	}
	return out, nil
}

func (m *memories) close() error {
	return errors.Join(m.active.close(), m.words.close(), m.records.close(), m.places.close())
}

// membarrierGlobal is MEMBARRIER_CMD_GLOBAL of linux/membarrier.h: synchronize_rcu.
const membarrierGlobal = 1

// Grace waits until every program that has begun before has ended.
func Grace() error {
	if _, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierGlobal, 0, 0); errno != 0 {
		return fmt.Errorf("membarrier: %w", errno)
	}
	return nil
}
