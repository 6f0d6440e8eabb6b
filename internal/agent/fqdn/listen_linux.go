package fqdn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Bounds of connections.
const (
	mostConnections = 16
	// handshake is how long a writer may take to begin.
	handshake = 5 * time.Second
)

// Listen opens the socket at an absolute path. Its directory is made if it is not there, and has
// to be one that only the agent's user may write: who can replace the socket, or connect, can
// open policies. Its group may connect.
func Listen(path string) (net.Listener, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("socket %.100q: want an absolute path", path)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("socket for answers of DNS: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, fmt.Errorf("socket for answers of DNS: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(owner.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("socket for answers of DNS: others than user %d may write the directory %s (%v)", os.Geteuid(), dir, info.Mode())
	}
	if old, err := os.Lstat(path); err == nil && old.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("socket for answers of DNS: %s is there and is no socket", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // of an agent that ran before
		return nil, fmt.Errorf("socket for answers of DNS: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("socket for answers of DNS: %w", err)
	}
	if err := errors.Join(os.Chmod(path, 0o660), sameGroup(path, owner.Gid)); err != nil {
		l.Close()
		return nil, fmt.Errorf("socket for answers of DNS: %w", err)
	}
	return l, nil
}

// sameGroup gives a socket to a group. In a directory with the set-group-ID bit it has the group
// already, which takes no capability.
func sameGroup(path string, gid uint32) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Gid == gid {
		return nil
	}
	return os.Chown(path, -1, int(gid))
}

// serve reads what writers say until ctx ends.
func (f *Feeder) serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { f.Listener.Close() })
	defer stop()
	room := make(chan struct{}, mostConnections)
	for {
		conn, err := f.Listener.Accept()
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			f.Log.Warn("a resolver could not connect", "error", err)
			wait(ctx, time.Second)
			continue
		}
		select {
		case room <- struct{}{}:
			go func() {
				defer func() { <-room }()
				f.connection(ctx, conn)
			}()
		default:
			f.Log.Warn("a resolver too many", "most", mostConnections)
			conn.Close()
		}
	}
}

func (f *Feeder) connection(ctx context.Context, conn net.Conn) {
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	f.Observer.Connected(1)
	defer f.Observer.Connected(-1)
	err := f.frames(ctx, conn)
	if err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		f.Observer.Framed(Malformed)
		f.Log.Warn("a resolver was not understood", "error", err)
	}
}

// frames reads the frames of one writer.
func (f *Feeder) frames(ctx context.Context, conn net.Conn) error {
	s := &stream{rw: conn}
	if err := conn.SetDeadline(time.Now().Add(handshake)); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	for {
		frame, err := s.next()
		if err != nil {
			return err
		}
		a, result := understand(frame)
		if result != "" {
			f.Observer.Framed(result)
			continue
		}
		select {
		case f.answers <- a:
		case <-ctx.Done():
			return nil
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
