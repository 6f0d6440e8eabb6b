package localport

import (
	"errors"
	"syscall"
)

// slots bound how many there may be of something.
type slots chan struct{}

func newSlots(most int) slots { return make(slots, most) }

// take takes one of all, or none.
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

// passing reports whether an error of accept(2) passes: a client that went before it was
// accepted, and what a process or the machine is short of.
func passing(err error) bool {
	for _, is := range []error{syscall.ECONNABORTED, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}
