package cluster

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/planec/planec/e2e/internal/process"
	"github.com/planec/planec/e2e/internal/programs"
)

const (
	etcdURL  = "http://127.0.0.1:2379"
	etcdPeer = "http://127.0.0.1:2380"
)

// newEtcd prepares an etcd with one member. It loses writes only if the
// machine stops, not if it is killed: the page cache outlives the process.
func (c *Cluster) newEtcd(t testing.TB) *Server {
	t.Helper()
	p := process.New(t, c.in, "etcd", nil, programs.Kubernetes(t, "etcd"),
		"--data-dir="+t.TempDir(), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+etcdURL, "--advertise-client-urls="+etcdURL, "--listen-peer-urls="+etcdPeer)
	client := c.in.HTTP()
	return &Server{Program: p, ready: func(ctx context.Context) error {
		_, err := process.Get(ctx, client, etcdURL+"/readyz", "")
		return err
	}}
}

// ExpireWatches makes every resource version that a client may know too old: a
// watch gets "410 Gone" and must list again. It kills the API server, writes
// another key and compacts the history before that write. The watch cache of the
// restarted server begins after the write, and so later than every watch.
func (c *Cluster) ExpireWatches(ctx context.Context) error {
	if err := c.APIServer.Kill(); err != nil {
		return err
	}
	if err := c.compact(ctx); err != nil {
		return err
	}
	return c.APIServer.Start(ctx)
}

// elsewhere is a key outside of the API server's prefix, /registry.
const elsewhere = "/planec-e2e/expired"

// etcdClient connects to etcd directly, to change it without the API server.
func (c *Cluster) etcdClient() (*clientv3.Client, error) {
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   []string{etcdURL},
		DialTimeout: 5 * time.Second,
		DialOptions: []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return c.in.Dial(ctx, "tcp", address)
		})},
	})
	if err != nil {
		return nil, fmt.Errorf("client of etcd: %w", err)
	}
	return client, nil
}

// compact increases etcd's revision and drops all earlier ones.
func (c *Cluster) compact(ctx context.Context) error {
	client, err := c.etcdClient()
	if err != nil {
		return err
	}
	defer client.Close()
	put, err := client.Put(ctx, elsewhere, time.Now().String())
	if err != nil {
		return fmt.Errorf("write to etcd: %w", err)
	}
	if _, err := client.Compact(ctx, put.Header.Revision); err != nil {
		return fmt.Errorf("compact etcd to revision %d: %w", put.Header.Revision, err)
	}
	return nil
}
