//go:build !linux

package nodelock

import (
	"context"
	"os"
	"time"
)

// RunDir is the directory of the locks of all processes.
const RunDir = ""

// Node has no locks: planec's rules are for Linux only.
type Node struct{}

// On returns a node without locks.
func On(string) (*Node, error) { return &Node{}, nil }

// Lock excludes nothing.
type Lock struct{}

// Notes returns nothing.
func (*Lock) Notes() []error { return nil }

// Held is false.
func (*Lock) Held() bool { return false }

// Files returns none.
func (*Lock) Files() []*os.File { return nil }

// Release does nothing.
func (*Lock) Release() {}

// Changes returns none.
func (*Node) Changes() []string { return nil }

// Sockets returns none.
func (*Node) Sockets() []string { return nil }

// Change returns a lock that excludes nothing.
func (*Node) Change(context.Context, time.Duration, func(Holder)) (*Lock, error) {
	return &Lock{}, nil
}

// Agent returns a lock that excludes nothing.
func (*Node) Agent(context.Context) (*Lock, error) { return &Lock{}, nil }

// RunningAgent never finds an agent.
func (*Node) RunningAgent() error { return nil }

// Changing never finds a change.
func (*Node) Changing() error { return nil }
