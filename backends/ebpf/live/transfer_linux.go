package live

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
)

// transfer moves the entries of one map of the image into a kernel map and back.
type transfer struct {
	fill func(*ebpf.Map, *image.Image) error
	read func(m *ebpf.Map, n int) ([]byte, error)
}

// transfers are those of restMaps.
var transfers = [stored]transfer{
	array[[layout.MetaSize]byte](),
	hash[[layout.AddressSize]byte, [layout.FlagsSize]byte](layout.Addresses),
	hash[[layout.PrefixKeySize]byte, [layout.FlagsSize]byte](layout.Prefixes),
	hash[[layout.AddressSize]byte, [layout.PodSize]byte](layout.Pods),
	hash[[layout.PrefixKeySize]byte, [layout.ClassSize]byte](layout.Classes),
	hash[[layout.RowKeySize]byte, [layout.PolicyIDSize]byte](layout.Rows),
	hash[[layout.PortKeySize]byte, [layout.VerdictSize]byte](layout.Ports),
	hash[[layout.PortKeySize]byte, [layout.PolicyIDSize]byte](layout.SourcePorts),
	hash[[layout.LogKeySize]byte, [layout.LogPrefixSize]byte](layout.Logs),
}

// array moves meta, without what Services determine.
func array[V any]() transfer {
	return transfer{
		fill: func(m *ebpf.Map, img *image.Image) error {
			info := img.Rest()
			values := make([]V, 1)
			copy(bytesOf(values), info.Append(nil))
			return update(m, []uint32{0}, values)
		},
		read: func(m *ebpf.Map, n int) ([]byte, error) {
			_, values, err := lookup[uint32, V](m, n)
			return bytesOf(values), err
		},
	}
}

func hash[K, V any](index int) transfer {
	return transfer{
		fill: func(m *ebpf.Map, img *image.Image) error {
			src := img.Map(index)
			keys, values := make([]K, src.Len()), make([]V, src.Len())
			k, v := bytesOf(keys), bytesOf(values)
			for i := range src.Len() {
				k, v = k[copy(k, src.Key(i)):], v[copy(v, src.Value(i)):]
			}
			return update(m, keys, values)
		},
		read: func(m *ebpf.Map, n int) ([]byte, error) {
			keys, values, err := lookup[K, V](m, n)
			if err != nil {
				return nil, err
			}
			out := make([]byte, 0, len(bytesOf(keys))+len(bytesOf(values)))
			for i := range n {
				out = append(out, bytesOf(keys[i:i+1])...)
				out = append(out, bytesOf(values[i:i+1])...)
			}
			return out, nil
		},
	}
}

// bytesOf returns the memory of a slice of byte arrays.
func bytesOf[T any](s []T) []byte {
	var t T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(t)))
}

// update writes all entries in one system call, or one by one if the kernel has no
// batch operation for this type of map.
func update[K, V any](m *ebpf.Map, keys []K, values []V) error {
	if len(keys) == 0 {
		return nil
	}
	n, err := m.BatchUpdate(keys, values, nil)
	if err == nil && n != len(keys) {
		return fmt.Errorf("the kernel took %d of %d entries", n, len(keys))
	}
	if !errors.Is(err, ebpf.ErrNotSupported) {
		return err
	}
	for i := range keys {
		if err := m.Put(&keys[i], &values[i]); err != nil {
			return err
		}
	}
	return nil
}

// lookup reads n entries; more or fewer entries in the kernel are an error. An
// array without entries has one zero entry in the kernel, which is ignored.
func lookup[K, V any](m *ebpf.Map, n int) ([]K, []V, error) {
	if n == 0 && m.Type() == ebpf.Array {
		return nil, nil, nil
	}
	// Room for one more entry detects additional entries; hashes need room for a bucket.
	const slack = 64
	keys, values := make([]K, n+slack), make([]V, n+slack)
	got, err := readAll(m, keys, values)
	if err == nil && got != n {
		err = fmt.Errorf("%d entries where %d should be", got, n)
	}
	if err != nil {
		return nil, nil, err
	}
	return keys[:n], values[:n], nil
}

func readAll[K, V any](m *ebpf.Map, keys []K, values []V) (int, error) {
	var cursor ebpf.MapBatchCursor
	n := 0
	for n < len(keys) {
		got, err := m.BatchLookup(&cursor, keys[n:], values[n:], nil)
		n += got
		switch {
		case errors.Is(err, ebpf.ErrKeyNotExist):
			return n, nil
		case errors.Is(err, ebpf.ErrNotSupported):
			return iterate(m, keys, values)
		case err != nil:
			return n, err
		}
	}
	return n, nil
}

func iterate[K, V any](m *ebpf.Map, keys []K, values []V) (int, error) {
	n, it := 0, m.Iterate()
	for n < len(keys) && it.Next(&keys[n], &values[n]) {
		n++
	}
	return n, it.Err()
}
