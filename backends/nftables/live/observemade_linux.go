package live

import (
	"context"
	"errors"
)

// sampled is how many elements of a set that a plan made are read, in the order of the
// kernel's hash table; sets with up to twice as many are read whole. The kernel walks a set from its
// beginning for every 32 KiB that it dumps (nft_rhash_walk in net/netfilter/nft_set_hash.c),
// so to read 150,000 elements costs it more than to add them.
const sampled = 4096

// ObserveMade is [Observe] after a plan was applied. Of a large set that it made, a part of the
// elements is compared with what was sent, and the number of all: the rest is what the
// kernel took, as long as the generation says that no other transaction came since. What a reading
// can find beyond that is a kernel that understands elements otherwise than planec; elements
// of one set all have one form, so that shows in any of them. Where anything differs, or the kernel
// does not tell the number (NFTA_SET_COUNT), all is read.
func ObserveMade(ctx context.Context, made *Made) (*State, error) {
	return observeWith(ctx, made, (*observer).table)
}

// trusts reports whether the elements of a set are those that the plan made.
func (o *observer) trusts(s *Set) (bool, error) {
	if o.made == nil {
		return false, nil
	}
	want := o.made.sets[o.family][s.Name]
	if want == nil || want.Elems.n <= 2*sampled || s.count != want.Elems.n || !want.sameSpec(s) {
		return false, nil
	}
	same, err := o.sample(s, want)
	if same && err == nil {
		s.Elems = want.Elems
	}
	return same, err
}

// errEnough ends a dump.
var errEnough = errors.New("enough was read")

// sample compares some elements of the kernel's set with those of another one. The dump ends
// with its socket.
func (o *observer) sample(s, want *Set) (same bool, err error) {
	c, err := dial()
	if err != nil {
		return false, err
	}
	defer c.close()
	part := observer{conn: c, family: o.family}
	n := 0
	err = part.eachElement(s, func(e []byte) error {
		key, _ := part.element(s, e)
		if len(key) != int(s.KeyLen) {
			return errEnough
		}
		w, ok := want.Elems.get(key)
		if !ok || !w.same(record{key, part.data, part.udata}) {
			return errEnough
		}
		if n++; n == sampled {
			same = true
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return same && !c.interrupted, err
}
