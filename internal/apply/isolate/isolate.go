// Package isolate finds the objects that make an apply fail, so that only they
// are given up and everything else is applied. It handles what only the kernel
// finds; the checks of backends prevent everything else.
package isolate

import (
	"context"
	"maps"
	"slices"

	"github.com/planec/planec/ir/failsafe"
)

// Attempt applies everything except a set. A failed attempt changes nothing, or
// something that the next one repairs. Many attempts are expected to fail.
type Attempt func(context.Context, failsafe.Set) error

// few is the number of objects up to which all may be given up while the bad ones
// are searched. Of more objects, one half is given up at a time.
const few = 64

// Find applies as much as possible after attempts with the set have failed, and
// returns the set that worked. The suspects are groups of objects, the most likely
// first; one bad object of n takes about 2 log n attempts. If giving up all of them
// does not help, it returns the first error and gives up nothing, because no object
// is at fault. Nor is one at fault for temporary errors: callers retry before they
// call Find, and again soon after.
func Find(ctx context.Context, attempt Attempt, set failsafe.Set, suspects [][]failsafe.Object, first error) (failsafe.Set, error) {
	s := search{ctx: ctx, attempt: attempt, set: set}
	for _, list := range suspects {
		list = slices.DeleteFunc(slices.Clone(list), func(o failsafe.Object) bool { return set[o] == failsafe.Gone })
		// Never give up many objects, even briefly, because of a temporary error.
		if len(list) > few && s.try(set) {
			return set, nil
		}
		if s.group(list) {
			return s.set, s.settle()
		}
		if err := ctx.Err(); err != nil {
			return set, err
		}
	}
	return set, first
}

// search tracks the objects given up so far, which the kernel lacks.
type search struct {
	ctx     context.Context
	attempt Attempt
	set     failsafe.Set
	// failed reports that the last attempt failed.
	failed bool
}

// settle applies the result once more if the last attempt failed, because that may
// have changed something.
func (s *search) settle() error {
	if !s.failed {
		return nil
	}
	return s.attempt(s.ctx, s.set)
}

func (s *search) try(set failsafe.Set) bool {
	if s.ctx.Err() != nil {
		return false
	}
	if s.failed = s.attempt(s.ctx, set) != nil; s.failed {
		return false
	}
	s.set = set
	return true
}

// group finds the bad objects in a list, and reports whether the rest can be
// applied without them.
func (s *search) group(list []failsafe.Object) bool {
	switch n := len(list); {
	case n == 0:
		return false
	case n <= few:
		return s.deeper(list)
	default:
		// Do not refuse all at once: the bad objects are most probably in one half.
		return s.narrow(list[:n/2], failsafe.Refused) || s.narrow(list[n/2:], failsafe.Refused) || s.deeper(list)
	}
}

// deeper gives some objects up to higher and higher levels.
func (s *search) deeper(list []failsafe.Object) bool {
	for _, l := range []failsafe.Level{failsafe.Refused, failsafe.Removed, failsafe.Gone} {
		if s.narrow(list, l) {
			return true
		}
	}
	return false
}

// narrow gives up a list of objects, and restores the harmless ones.
func (s *search) narrow(list []failsafe.Object, l failsafe.Level) bool {
	with := s.set.With(nil)
	for _, o := range list {
		with.Add(o, l)
	}
	before := s.set
	if !s.try(with) {
		return false
	}
	s.release(before, list[:len(list)/2])
	s.release(before, list[len(list)/2:])
	return true
}

// release restores the harmless objects of a list to their previous level: not given
// up, or less. It never restores all of them, because that is the previous set,
// which has failed.
func (s *search) release(before failsafe.Set, list []failsafe.Object) {
	if len(list) == 0 {
		return
	}
	without := s.set.With(nil)
	for _, o := range list {
		if delete(without, o); before[o] != 0 {
			without[o] = before[o]
		}
	}
	if !maps.Equal(without, before) && s.try(without) || len(list) == 1 {
		return
	}
	s.release(before, list[:len(list)/2])
	s.release(before, list[len(list)/2:])
}
