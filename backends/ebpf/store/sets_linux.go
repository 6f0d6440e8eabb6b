package store

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends/ebpf/layout"
)

// maxSets is how many lists of source ranges a generation has numbers for.
const maxSets = 1 << 20

// set is a list of source ranges that records share.
type set struct {
	number  uint32
	content string
	ranges  []netip.Prefix
	users   int
}

func contentOf(ranges []netip.Prefix) string {
	var b []byte
	for _, p := range ranges {
		b = layout.PrefixKeyOf(0, p).Append(b)
	}
	return string(b)
}

// ranges writes a list of source ranges, or finds the one that is there already; none is
// nil. Entries of a trie can be inserted and deleted beside programs that read others: the
// kernel frees them after a grace period of its own.
func (s *Store) ranges(list []netip.Prefix) (*set, error) {
	if len(list) == 0 {
		return nil, nil
	}
	content := contentOf(list)
	if have := s.sets[content]; have != nil {
		have.users++
		return have, nil
	}
	at, ok := s.numbers.take(1)
	if !ok {
		return nil, ErrFull
	}
	x := &set{number: at.at, content: content, ranges: slices.Clone(list), users: 1}
	s.sets[content] = x
	for _, p := range list {
		key := layout.PrefixKeyOf(x.number, p).Append(nil)
		switch err := s.maps.sources().Update(key, uint32(1), ebpf.UpdateNoExist); {
		case errors.Is(err, ebpf.ErrKeyExist):
		case err != nil:
			err = errors.Join(fmt.Errorf("inserting source range %v: %w", p, err), s.releaseSet(x))
			if full(err) {
				err = errors.Join(ErrFull, err)
			}
			return nil, err
		}
	}
	return x, nil
}

// releaseSet gives a use of a set back. Where it was the last, no program asks for the
// set any more.
func (s *Store) releaseSet(x *set) error {
	if x == nil {
		return nil
	}
	if x.users--; x.users > 0 {
		return nil
	}
	delete(s.sets, x.content)
	var errs []error
	for _, p := range x.ranges {
		err := s.maps.sources().Delete(layout.PrefixKeyOf(x.number, p).Append(nil))
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			errs = append(errs, fmt.Errorf("deleting source range %v: %w", p, err))
		}
	}
	s.numbers.give(span{x.number, 1})
	return errors.Join(errs...)
}

// readSets lists the source ranges that are in the trie, by the number of their set.
func readSets(m *Maps) (map[uint32]*set, error) {
	found := make(map[uint32]*set)
	var key [layout.PrefixKeySize]byte
	var value uint32
	all := m.sources().Iterate()
	for all.Next(&key, &value) {
		k := layout.DecodePrefixKey(key[:])
		number := k.Set.Number()
		if number < layout.FirstSourceSet || number >= layout.FirstSourceSet+maxSets || !k.Prefix().IsValid() || value != 1 {
			return nil, fmt.Errorf("source range %v of set %d is none", k.Prefix(), number)
		}
		if found[number] == nil {
			found[number] = &set{number: number}
		}
		found[number].ranges = append(found[number].ranges, k.Prefix())
	}
	for _, x := range found {
		slices.SortFunc(x.ranges, func(a, b netip.Prefix) int { return a.Compare(b) })
		x.content = contentOf(x.ranges)
	}
	return found, all.Err()
}

// full reports whether an error is that a map has no room.
func full(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.E2BIG) }
