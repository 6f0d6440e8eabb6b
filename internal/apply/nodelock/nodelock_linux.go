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

// RunDir is the directory of the locks of all processes.
const RunDir = "/run/planec"

// The locks, as parts of file names, and their names in messages.
const (
	changes = "change"
	agent   = "agent"
)

// Node holds the locks of one network namespace.
type Node struct {
	dirs []string
	key  string
	// pids identifies this process's PID namespace.
	pids uint64
	// patience is the waiting time before the holder is reported.
	patience time.Duration
}

// patience is longer than most changes take.
const patience = 2 * time.Second

// On returns the locks of the calling thread's network namespace; "" means no state
// directory.
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
	pids, _ := inode("/proc/thread-self/ns/pid") // used only in messages
	return &Node{dirs: dirs, key: fmt.Sprintf("netns-%d", net), pids: pids, patience: patience}, nil
}

func inode(path string) (uint64, error) {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		return 0, err
	}
	return s.Ino, nil
}

// Lock is held until Release, or until the last process with its files ends.
type Lock struct {
	files []*os.File
	notes []error
}

// Notes reports the directories without a lock, and why.
func (l *Lock) Notes() []error { return l.notes }

// Held reports whether the lock excludes other processes.
func (l *Lock) Held() bool { return len(l.files) > 0 }

// Files are for a child process that must hold the lock too.
func (l *Lock) Files() []*os.File { return l.files }

// Release unlocks and removes the files, because namespaces come and go. A child with
// the files must have ended.
func (l *Lock) Release() {
	for _, f := range l.files {
		if there(f, f.Name()) {
			_ = os.Remove(f.Name()) // waiters notice that the file is gone
		}
		_ = f.Close() // that unlocks
	}
	l.files = nil
}

// poll is the interval between attempts to take a held lock.
const poll = 20 * time.Millisecond

// Change waits for the lock of changes, up to wait. After a while it calls waiting
// once with the holder. If the lock stays held, it returns a [HeldError].
func (n *Node) Change(ctx context.Context, wait time.Duration, waiting func(Holder)) (*Lock, error) {
	return n.acquire(ctx, changes, wait, waiting)
}

// agentWait is how long an agent waits for a previous agent that is ending, or for
// a process that checks for an agent.
const agentWait = time.Second

// Agent takes the lock of the agent. If another agent holds it, it returns a [HeldError].
func (n *Node) Agent(ctx context.Context) (*Lock, error) {
	return n.acquire(ctx, agent, agentWait, func(Holder) {})
}

// RunningAgent returns a [HeldError] if an agent runs.
func (n *Node) RunningAgent() error { return n.holds(agent, "the agent's lock") }

// Changing returns a [HeldError] if a process changes the rules, or waits for the
// confirmation of a change.
func (n *Node) Changing() error { return n.holds(changes, "the lock for changes") }

// holds checks whether a process holds a lock, without keeping it.
func (n *Node) holds(lock, what string) error {
	for _, dir := range n.dirs {
		f, err := os.OpenFile(n.path(dir, lock), os.O_RDONLY|unix.O_NONBLOCK, 0) // a pipe would wait
		if err != nil {
			continue // no process can hold it: the file does not exist
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

// Changes are the files of the lock of changes; a process that holds it creates them.
func (n *Node) Changes() []string {
	var paths []string
	for _, dir := range n.dirs {
		paths = append(paths, n.path(dir, changes))
	}
	return paths
}

// Sockets are the paths of the agent's socket, one per directory: processes that share
// a lock share a socket.
func (n *Node) Sockets() []string {
	var paths []string
	for _, dir := range n.dirs {
		paths = append(paths, filepath.Join(dir, n.key+".agent.sock"))
	}
	return paths
}

func (n *Node) path(dir, lock string) string { return filepath.Join(dir, n.key+"."+lock+".lock") }

// acquire takes a lock in every directory, always in the same order.
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

// wait takes one file's lock. times are when to call waiting, and when to stop.
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
			continue // the file was removed, so others lock a new one
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

// open opens a lock's file without following links.
func open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
}

// there reports whether the path still leads to the file.
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

// holder reads the holder of a file's lock, which may have released it since.
func (n *Node) holder(f *os.File) Holder {
	text := make([]byte, 2*mostCommand)
	size, err := f.ReadAt(text, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Holder{}
	}
	return readNote(text[:size], n.pids)
}

// sign writes the holder for waiting processes. It ignores errors, so that a
// full disk does not prevent locking.
func (n *Node) sign(f *os.File) {
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(note(os.Getpid(), n.pids, os.Args), 0)
	}
}
