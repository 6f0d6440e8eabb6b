package cli_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/internal/testing/clustergen"
)

// BenchmarkAllNodes is `planec compile --all-nodes` of 1,000 nodes with 5,000
// Services of 10 endpoints: what another node costs, in CPU time with the writing
// of its files. Every tenth node is compiled, for the disk's sake.
func BenchmarkAllNodes(b *testing.B) {
	size := clustergen.Size{Services: 5000, Endpoints: 10, Nodes: 1000}
	dump := filepath.Join(b.TempDir(), "dump.json")
	f, err := os.Create(dump)
	if err != nil {
		b.Fatal(err)
	}
	if err := clustergen.JSON(f, size); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	run := func(b *testing.B, backend, shard string) (cpu, wall time.Duration) {
		b.Helper()
		out := b.TempDir()
		args := []string{"compile", "-q", "-f", dump, "--all-nodes", "--backend", backend, "--out-dir", out, "--cluster-cidr", "10.128.0.0/9", "--shard", shard}
		before, start := used(b), time.Now()
		var stderr strings.Builder
		if code := cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: io.Discard, Err: &stderr}); code != 0 {
			b.Fatalf("exit code %d: %s", code, &stderr)
		}
		cpu, wall = used(b)-before, time.Since(start)
		if err := os.RemoveAll(out); err != nil {
			b.Fatal(err)
		}
		return cpu, wall
	}
	for _, backend := range []string{"nftables", "iptables", "ipvs", "ebpf"} {
		b.Run(backend, func(b *testing.B) {
			var cpu, wall time.Duration
			nodes := 0
			for b.Loop() {
				one, oneWall := run(b, backend, "0/1000")
				many, manyWall := run(b, backend, "0/10")
				cpu, wall, nodes = cpu+many-one, wall+manyWall-oneWall, nodes+99
			}
			b.ReportMetric(float64(cpu.Microseconds())/1000/float64(nodes), "cpu-ms/node")
			b.ReportMetric(cpu.Seconds()/wall.Seconds(), fmt.Sprintf("cores-of-%d", runtime.NumCPU()))
			b.ReportMetric(0, "ns/op")
		})
	}
}

func used(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
