package localport

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// dialTimeout is how long a connection to an endpoint may take, as in kube-proxy.
	dialTimeout = 5 * time.Second
	// drainTime is how long one direction may go on after the other has failed: an
	// answer that was sent before a connection broke still gets to its client.
	drainTime = 2 * time.Second
	// bufferSize is what a direction of a connection holds.
	bufferSize = 16 << 10
)

// forward connects a client to an endpoint until both are through, one fails or ctx
// ends. A connection that cannot be made, or that breaks, is reset: a client must not
// take it for an answer that has ended.
func forward(ctx context.Context, client *net.TCPConn, c *choice) {
	server, err := dial(ctx, c)
	if err != nil {
		reset(client)
		return
	}
	stop := context.AfterFunc(ctx, func() {
		reset(client)
		reset(server)
	})
	defer stop()
	var out error
	var both sync.WaitGroup
	both.Go(func() { out = pass(server, client) })
	in := pass(client, server)
	both.Wait()
	end(client, errors.Join(in, out))
	end(server, errors.Join(in, out))
}

func dial(ctx context.Context, c *choice) (*net.TCPConn, error) {
	to, ok := c.next(time.Now())
	if !ok {
		return nil, errors.New("no endpoint")
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil // the network is TCP
}

// pass passes on what comes from src, and that it has ended. After an error the other
// direction has [drainTime].
func pass(dst, src *net.TCPConn) error {
	err := transfer(dst, src)
	if err == nil {
		err = dst.CloseWrite()
	}
	if err != nil {
		soon := time.Now().Add(drainTime)
		_ = dst.SetDeadline(soon) // a connection that is closed needs none
		_ = src.SetDeadline(soon)
	}
	return err
}

// transfer copies until src ends. It does not leave the copying to the kernel, as
// [io.Copy] does: that takes four more descriptors for each connection.
func transfer(dst, src *net.TCPConn) error {
	buffer := make([]byte, bufferSize)
	for {
		n, err := src.Read(buffer)
		if n > 0 {
			if _, err := dst.Write(buffer[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// end closes a connection, and resets one of a pair that broke.
func end(c *net.TCPConn, err error) {
	if err != nil {
		reset(c)
		return
	}
	_ = c.Close() // everything was passed on
}

// reset closes a connection at once, and says so to its other end.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // both fail only for what is closed already
	_ = c.Close()
}
