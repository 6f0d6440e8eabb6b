package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
)

// Listen listens on a socket that only its owner can connect to. It removes the
// socket of an earlier agent: the caller must hold the agent's lock.
func Listen(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	at, done, err := short(path)
	if err != nil {
		return nil, err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
		if err := os.Remove(path); err != nil {
			done()
			return nil, fmt.Errorf("the socket of an agent before: %w", err)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", at)
	if err != nil {
		done()
		return nil, err
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // Close removes it by its full path
	s := &socket{Listener: l, path: path, done: done}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// socket is a listener that removes its file when it is closed.
type socket struct {
	net.Listener
	path string
	done func()
}

// Close implements net.Listener. It may be called again.
func (s *socket) Close() error {
	err := s.Listener.Close()
	if !errors.Is(err, net.ErrClosed) {
		_ = os.Remove(s.path) // the next agent would remove it
		s.done()
	}
	return err
}

func dial(ctx context.Context, path string) (net.Conn, error) {
	at, done, err := short(path)
	if err != nil {
		return nil, err
	}
	defer done()
	return (&net.Dialer{}).DialContext(ctx, "unix", at)
}

// longest is the maximum length of a socket path (unix(7): 108 bytes with the
// final zero, and 104 on other systems).
const longest = 100
