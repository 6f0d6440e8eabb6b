//go:build !linux

package nodelock

import (
	"context"
	"os"
	"time"
)

// RunDir is where the locks of all processes are.
const RunDir = ""

// Node has no locks: only Linux runs what planec compiles.
type Node struct{}

// On returns a node without locks.
func On(string) (*Node, error) { return &Node{}, nil }

// Lock keeps nothing out.
type Lock struct{}

// Notes says nothing.
func (*Lock) Notes() []error { return nil }

// Held is false.
func (*Lock) Held() bool { return false }

// Files are none.
func (*Lock) Files() []*os.File { return nil }

// Release does nothing.
func (*Lock) Release() {}

// Changes are none.
func (*Node) Changes() []string { return nil }

// Sockets are none.
func (*Node) Sockets() []string { return nil }

// Change returns a lock that keeps nothing out.
func (*Node) Change(context.Context, time.Duration, func(Holder)) (*Lock, error) {
	return &Lock{}, nil
}

// Agent returns a lock that keeps nothing out.
func (*Node) Agent(context.Context) (*Lock, error) { return &Lock{}, nil }

// RunningAgent knows of none.
func (*Node) RunningAgent() error { return nil }

// Changing knows of none.
func (*Node) Changing() error { return nil }
