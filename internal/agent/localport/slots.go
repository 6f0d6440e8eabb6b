package localport

import (
	"errors"
	"syscall"
)

// slots limits the number of concurrent uses.
type slots chan struct{}

func newSlots(most int) slots { return make(slots, most) }

// take takes a slot of each, or none at all.
func take(all ...slots) (release func(), ok bool) {
	var taken []slots
	release = func() {
		for _, s := range taken {
			<-s
		}
	}
	for _, s := range all {
		select {
		case s <- struct{}{}:
			taken = append(taken, s)
		default:
			release()
			return nil, false
		}
	}
	return release, true
}

// passing reports whether an error of accept(2) is temporary: the client closed the
// connection before it was accepted, or the process or the machine lacks a resource.
func passing(err error) bool {
	for _, is := range []error{syscall.ECONNABORTED, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}
