package nodelock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// RunDir is where the locks of all processes are.
const RunDir = "/run/planec"

// The locks, as parts of files' names, and what messages call them.
const (
	changes = "change"
	agent   = "agent"
)

// Node has the locks of one network namespace.
type Node struct {
	dirs []string
	key  string
	// pids is our PID namespace.
	pids uint64
	// patience is how long to wait before that is said.
	patience time.Duration
}

// patience is longer than most changes take.
const patience = 2 * time.Second

// On returns the locks of the calling thread's network namespace; an empty stateDir
// is none.
func On(stateDir string) (*Node, error) {
	if stateDir == "" {
		return in(RunDir)
	}
	return in(RunDir, stateDir)
}

func in(dirs ...string) (*Node, error) {
	net, err := inode("/proc/thread-self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("the network namespace of this process: %w", err)
	}
	pids, _ := inode("/proc/thread-self/ns/pid") // only for messages
	return &Node{dirs: dirs, key: fmt.Sprintf("netns-%d", net), pids: pids, patience: patience}, nil
}

func inode(path string) (uint64, error) {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		return 0, err
	}
	return s.Ino, nil
}

// Lock is held until Release, or until the last process that has it ends.
type Lock struct {
	files []*os.File
	notes []error
}

// Notes says in which directories there is no lock, and why.
func (l *Lock) Notes() []error { return l.notes }

// Held reports whether the lock keeps anything out.
func (l *Lock) Held() bool { return len(l.files) > 0 }

// Files are to be passed to a child that holds the lock too.
func (l *Lock) Files() []*os.File { return l.files }

// Release unlocks, and removes the files: namespaces come and go. A child that has the
// files must have ended.
func (l *Lock) Release() {
	for _, f := range l.files {
		if there(f, f.Name()) {
			_ = os.Remove(f.Name()) // who waits for this one sees that it is gone
		}
		_ = f.Close() // that unlocks
	}
	l.files = nil
}

// poll is how often a lock that is held is tried.
const poll = 20 * time.Millisecond

// Change waits for the lock of changes, wait at most. When it has waited for a while,
// waiting is told who holds it, once. What is in the way at last is a [HeldError].
func (n *Node) Change(ctx context.Context, wait time.Duration, waiting func(Holder)) (*Lock, error) {
	return n.acquire(ctx, changes, wait, waiting)
}

// agentWait is how long an agent waits for the one before it, which may be about to
// end, or for a process that looks whether there is one.
const agentWait = time.Second

// Agent takes the lock of the agent. Another agent is a [HeldError].
func (n *Node) Agent(ctx context.Context) (*Lock, error) {
	return n.acquire(ctx, agent, agentWait, func(Holder) {})
}

// RunningAgent returns a [HeldError] when there is an agent.
func (n *Node) RunningAgent() error { return n.holds(agent, "the agent's lock") }

// Changing returns a [HeldError] when a process changes the rules, or waits until what
// it changed is confirmed.
func (n *Node) Changing() error { return n.holds(changes, "the lock for changes") }

// holds looks who has a lock, and takes it from no process.
func (n *Node) holds(lock, what string) error {
	for _, dir := range n.dirs {
		f, err := os.Open(n.path(dir, lock))
		if err != nil {
			continue // it was never made, or cannot be: then no process has it
		}
		err = flock(f, unix.LOCK_SH)
		holder := n.holder(f)
		_ = f.Close() // that unlocks
		if errors.Is(err, unix.EWOULDBLOCK) {
			return &HeldError{What: what, Holder: holder}
		}
	}
	return nil
}

// Changes are the files of the lock of changes: each is there while a process has it.
func (n *Node) Changes() []string {
	var paths []string
	for _, dir := range n.dirs {
		paths = append(paths, n.path(dir, changes))
	}
	return paths
}

// Sockets are the paths of the agent's socket, in each directory: processes that share
// a lock share a socket.
func (n *Node) Sockets() []string {
	var paths []string
	for _, dir := range n.dirs {
		paths = append(paths, filepath.Join(dir, n.key+".agent.sock"))
	}
	return paths
}

func (n *Node) path(dir, lock string) string { return filepath.Join(dir, n.key+"."+lock+".lock") }

// acquire takes a lock in every directory, always in their order.
func (n *Node) acquire(ctx context.Context, lock string, wait time.Duration, waiting func(Holder)) (*Lock, error) {
	l := &Lock{}
	start := time.Now()
	times := [2]time.Time{start.Add(n.patience), start.Add(wait)}
	for _, dir := range n.dirs {
		f, err := n.wait(ctx, n.path(dir, lock), lock, times, waiting)
		if err == nil {
			l.files = append(l.files, f)
			continue
		}
		if held := new(HeldError); errors.As(err, &held) || ctx.Err() != nil {
			l.Release()
			return nil, err
		}
		l.notes = append(l.notes, err)
	}
	for _, f := range l.files {
		n.sign(f)
	}
	return l, nil
}

// wait takes one file's lock. The times are when waiting is told, and when that ends.
func (n *Node) wait(ctx context.Context, path, lock string, times [2]time.Time, waiting func(Holder)) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("locking: %w", err)
	}
	for told := false; ; {
		f, err := open(path)
		if err != nil {
			return nil, fmt.Errorf("locking: %w", err)
		}
		if err = flock(f, unix.LOCK_EX); err == nil && there(f, path) {
			return f, nil
		}
		holder := n.holder(f)
		_ = f.Close() // nothing was written
		if err == nil {
			continue // the file was removed: others lock another one
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		now := time.Now()
		if !told && now.After(times[0]) {
			told = true
			waiting(holder)
		}
		if now.After(times[1]) {
			return nil, &HeldError{What: "the lock for " + lock + "s", Holder: holder}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the lock that the planec process %v holds: %w", holder, ctx.Err())
		case <-time.After(poll):
		}
	}
}

// open opens a lock's file, and follows no link.
func open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
}

// there reports whether a path still leads to a file.
func there(f *os.File, path string) bool {
	have, err := f.Stat()
	if err != nil {
		return false
	}
	at, err := os.Lstat(path)
	return err == nil && os.SameFile(have, at)
}

func flock(f *os.File, mode int) error {
	for {
		if err := unix.Flock(int(f.Fd()), mode|unix.LOCK_NB); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// holder reads who holds a file's lock; it may have let go of it since.
func (n *Node) holder(f *os.File) Holder {
	text := make([]byte, 2*mostCommand)
	size, err := f.ReadAt(text, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Holder{}
	}
	return readNote(text[:size], n.pids)
}

// sign writes who holds the lock, for those that wait. A disk that is full keeps
// nothing from being locked.
func (n *Node) sign(f *os.File) {
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(note(os.Getpid(), n.pids, os.Args), 0)
	}
}
