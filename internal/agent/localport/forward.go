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
	// dialTimeout is the timeout of connecting to an endpoint, as in kube-proxy.
	dialTimeout = 5 * time.Second
	// drainTime is how long one direction may continue after the other has failed,
	// so that an answer sent before the connection broke still reaches its client.
	drainTime = 2 * time.Second
	// bufferSize is the size of the buffer of one direction, in bytes.
	bufferSize = 16 << 10
)

// forward connects a client to an endpoint until both directions end, one fails,
// or ctx ends. It resets a connection that cannot be made or that breaks, so that
// the client does not take it for the end of an answer.
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

// pass copies from src to dst, including the end of the stream. After an error,
// the other direction has [drainTime] to end.
func pass(dst, src *net.TCPConn) error {
	err := transfer(dst, src)
	if err == nil {
		err = dst.CloseWrite()
	}
	if err != nil {
		soon := time.Now().Add(drainTime)
		_ = dst.SetDeadline(soon) // fails only for a closed connection
		_ = src.SetDeadline(soon)
	}
	return err
}

// transfer copies until src ends. Unlike [io.Copy] it does not use splice(2),
// which needs four more descriptors for each connection.
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

// end closes a connection, and resets it if its pair broke.
func end(c *net.TCPConn, err error) {
	if err != nil {
		reset(c)
		return
	}
	_ = c.Close() // all data was passed on
}

// reset closes a connection immediately with a reset.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // both fail only for a closed connection
	_ = c.Close()
}
