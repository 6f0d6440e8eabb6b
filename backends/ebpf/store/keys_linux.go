package store

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/planec/planec/backends/ebpf/layout"
)

// keyIndex is an element of the hash.
type keyIndex struct {
	key   layout.ServiceKey
	index uint32
}

// keyBatch is how many keys are read or inserted by one system call.
const keyBatch = 4096

// readKeys lists the hash, whose values are indexes of an array of that many words, in the
// order of the indexes: that is the order in which keys came, and in which their records and
// pools lie in memory.
func readKeys(m *ebpf.Map, words uint32) ([]keyIndex, error) {
	list, seen := make([]keyIndex, words), make([]bool, words)
	take := func(key [layout.ServiceKeySize]byte, index uint32) error {
		if index >= words || seen[index] {
			return fmt.Errorf("key %x has the index %d, which is another's or none", key, index)
		}
		seen[index] = true
		list[index] = keyIndex{layout.DecodeServiceKey(key[:]), index}
		return nil
	}
	err := eachBatch(m, take)
	if errors.Is(err, ebpf.ErrNotSupported) {
		clear(seen)
		err = eachKey(m, take)
	}
	if err != nil {
		return nil, err
	}
	kept := list[:0]
	for i := range list {
		if seen[i] {
			kept = append(kept, list[i])
		}
	}
	return kept, nil
}

func eachBatch(m *ebpf.Map, take func([layout.ServiceKeySize]byte, uint32) error) error {
	keys, values := make([][layout.ServiceKeySize]byte, keyBatch), make([]uint32, keyBatch)
	var cursor ebpf.MapBatchCursor
	for {
		n, err := m.BatchLookup(&cursor, keys, values, nil)
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return err
		}
		for i := range n {
			if err := take(keys[i], values[i]); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

// eachKey is eachBatch on kernels without operations of batches.
func eachKey(m *ebpf.Map, take func([layout.ServiceKeySize]byte, uint32) error) error {
	var key [layout.ServiceKeySize]byte
	var index uint32
	all := m.Iterate()
	for all.Next(&key, &index) {
		if err := take(key, index); err != nil {
			return err
		}
	}
	return all.Err()
}

// insertKeys inserts keys that are not in the hash.
func insertKeys(m *ebpf.Map, keys [][layout.ServiceKeySize]byte, indexes []uint32) error {
	if len(keys) == 0 {
		return nil
	}
	n, err := m.BatchUpdate(keys, indexes, nil)
	if err == nil && n != len(keys) {
		return fmt.Errorf("the kernel took %d of %d keys", n, len(keys))
	}
	if !errors.Is(err, ebpf.ErrNotSupported) {
		return err
	}
	for i := range keys {
		if err := m.Update(&keys[i], &indexes[i], ebpf.UpdateNoExist); err != nil {
			return err
		}
	}
	return nil
}
