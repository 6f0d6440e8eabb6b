package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// ErrNoAgent means that no agent answers on any of the sockets.
var ErrNoAgent = errors.New("no agent answers")

// Client queries the agent of a node.
type Client struct {
	// Sockets are the paths of the sockets, tried in order.
	Sockets []string
}

// statusPatience is the timeout of a status query, servingPatience that of a query
// for all rules.
const (
	statusPatience  = 5 * time.Second
	servingPatience = 30 * time.Second
)

// Status returns the state of the agent, or [ErrNoAgent].
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, statusPatience)
	defer cancel()
	err = c.get(ctx, statusPath, func(r io.Reader) error { return json.NewDecoder(io.LimitReader(r, mostBytes)).Decode(&s) })
	return s, err
}

// Serving returns the state that the agent wants the kernel to have, or
// [ErrNoAgent].
func (c *Client) Serving(ctx context.Context) (s Serving, err error) {
	ctx, cancel := context.WithTimeout(ctx, servingPatience)
	defer cancel()
	err = c.get(ctx, servingPath, func(r io.Reader) (err error) {
		s, err = readServing(r)
		return err
	})
	return s, err
}

// Text returns what the agent answers at a path such as [MetricsPath], up to so many bytes, or
// [ErrNoAgent].
func (c *Client) Text(ctx context.Context, path string, most int64) (text []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, statusPatience)
	defer cancel()
	err = c.get(ctx, path, func(r io.Reader) error {
		text, err = io.ReadAll(io.LimitReader(r, most))
		return err
	})
	return text, err
}

// get queries the first socket on which an agent listens.
func (c *Client) get(ctx context.Context, path string, read func(io.Reader) error) error {
	for _, socket := range c.Sockets {
		conn, err := dial(ctx, socket)
		if noListener(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("asking the agent: %w", err)
		}
		if err := ask(ctx, conn, path, read); err != nil {
			return fmt.Errorf("asking the agent at %s: %w", socket, err)
		}
		return nil
	}
	return ErrNoAgent
}

// noListener reports whether an error means that no process listens.
func noListener(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOTDIR)
}

// ask sends one request on a connection and closes the connection.
func ask(ctx context.Context, conn net.Conn, path string, read func(io.Reader) error) error {
	t := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }, DisableKeepAlives: true}
	defer conn.Close() // conn is only read
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent"+path, nil)
	if err != nil {
		return err
	}
	response, err := t.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		const most = 4096
		text, _ := io.ReadAll(io.LimitReader(response.Body, most)) // ignore errors: the text is optional
		return errors.New(strings.TrimSpace(string(text)))
	}
	return read(response.Body)
}
