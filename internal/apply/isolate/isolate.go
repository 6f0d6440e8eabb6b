// Package isolate finds out which objects make an apply fail, so that those alone
// are given up and all else is applied. What the checks of backends foresee never
// comes here: this is for what only the kernel knows.
package isolate

import (
	"context"
	"maps"
	"slices"

	"github.com/planec/planec/ir/failsafe"
)

// Attempt applies everything but what a set gives up. A failed attempt changes
// nothing, or something that the next one puts right. Many are expected to fail.
type Attempt func(context.Context, failsafe.Set) error

// few is how many objects may be given up all at once while it is found out which
// of them it is. Of more, one half at a time is.
const few = 64

// Find applies what can be applied, after attempts with the set have failed, and
// returns the set that it took. The suspects are groups of objects, the likeliest
// first; one bad object of n takes about 2 log n attempts. When giving up all of
// them does not help, the error is the first one: then it is no object's fault, and
// nothing was given up. What passes by itself is no object's fault either: the caller
// tries more than once before it asks, and again soon after.
func Find(ctx context.Context, attempt Attempt, set failsafe.Set, suspects [][]failsafe.Object, first error) (failsafe.Set, error) {
	s := search{ctx: ctx, attempt: attempt, set: set}
	for _, list := range suspects {
		list = slices.DeleteFunc(slices.Clone(list), func(o failsafe.Object) bool { return set[o] == failsafe.Gone })
		// Many are not given up, not even for a moment, for what passes by itself.
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

// search knows what is given up so far: what the kernel has is without it.
type search struct {
	ctx     context.Context
	attempt Attempt
	set     failsafe.Set
	// failed is whether the last attempt failed.
	failed bool
}

// settle applies what was found once more where the last attempt failed: it may have
// changed something.
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

// group finds the bad ones among some objects, and reports whether there are any
// without which the rest can be applied.
func (s *search) group(list []failsafe.Object) bool {
	switch n := len(list); {
	case n == 0:
		return false
	case n <= few:
		return s.deeper(list)
	default:
		// Not everything is refused at once: what is bad is in one half, most
		// probably.
		return s.narrow(list[:n/2], failsafe.Refused) || s.narrow(list[n/2:], failsafe.Refused) || s.deeper(list)
	}
}

// deeper gives up more and more of some objects.
func (s *search) deeper(list []failsafe.Object) bool {
	for _, l := range []failsafe.Level{failsafe.Refused, failsafe.Removed, failsafe.Gone} {
		if s.narrow(list, l) {
			return true
		}
	}
	return false
}

// narrow gives a list of objects up, and takes back those that do no harm.
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

// release serves objects again, all of a list that do no harm. They are as they
// were before: not given up, or less. With all of them served again the set would be
// the one before, which has failed.
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
