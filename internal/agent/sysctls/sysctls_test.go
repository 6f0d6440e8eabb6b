package sysctls_test

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/agent/sysctls"
	"github.com/planec/planec/internal/input/nodeconfig"
)

func TestWanted(t *testing.T) {
	const n = "proc/sys/net/netfilter/nf_conntrack_"
	forward := sysctls.Setting{Path: "proc/sys/net/ipv4/ip_forward", Value: 1}
	hash := func(n int) sysctls.Setting {
		return sysctls.Setting{Path: "sys/module/nf_conntrack/parameters/hashsize", Value: n, AtLeast: true}
	}
	number := func(n int) *int { return &n }
	for _, c := range []struct {
		name    string
		config  nodeconfig.Conntrack
		liberal bool
		cpus    int
		want    []sysctls.Setting
	}{
		{"defaults", nodeconfig.Conntrack{}, false, 8, []sysctls.Setting{
			{Path: n + "max", Value: 262144, AtLeast: true}, hash(65536), {Path: n + "tcp_timeout_established", Value: 86400}, {Path: n + "tcp_timeout_close_wait", Value: 3600}, forward,
		}},
		{"few processors", nodeconfig.Conntrack{TCPEstablished: new(time.Duration), TCPCloseWait: new(time.Duration)}, false, 1, []sysctls.Setting{{Path: n + "max", Value: 131072, AtLeast: true}, hash(32768), forward}},
		{"many processors", nodeconfig.Conntrack{TCPEstablished: new(time.Duration), TCPCloseWait: new(time.Duration)}, false, 256, []sysctls.Setting{{Path: n + "max", Value: 1048576, AtLeast: true}, hash(262144), forward}},
		{"a limit that was asked for", nodeconfig.Conntrack{MaxPerCore: number(1000), Min: number(0), TCPEstablished: new(time.Duration), TCPCloseWait: new(time.Duration)}, false, 4, []sysctls.Setting{{Path: n + "max", Value: 4000, AtLeast: true}, hash(1000), forward}},
		{"a minimum above the cap", nodeconfig.Conntrack{Min: number(2000000), TCPEstablished: new(time.Duration), TCPCloseWait: new(time.Duration)}, false, 4, []sysctls.Setting{{Path: n + "max", Value: 2000000, AtLeast: true}, hash(500000), forward}},
		{"the kernel's limit", nodeconfig.Conntrack{MaxPerCore: new(int), TCPEstablished: new(time.Duration), TCPCloseWait: new(time.Duration), UDP: time.Minute, UDPStream: 2 * time.Minute}, true, 4, []sysctls.Setting{
			{Path: n + "udp_timeout", Value: 60}, {Path: n + "udp_timeout_stream", Value: 120}, {Path: n + "tcp_be_liberal", Value: 1}, forward,
		}},
	} {
		if got := sysctls.Wanted(c.config, c.liberal, c.cpus); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestApply wants only differing settings to be written, and a missing setting not
// to affect the others.
func TestApply(t *testing.T) {
	root := t.TempDir()
	for name, value := range map[string]string{"right": "5\n", "wrong": "4\n", "larger": "9\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	written, err := sysctls.Apply(root, []sysctls.Setting{
		{Path: "missing", Value: 1}, {Path: "right", Value: 5}, {Path: "wrong", Value: 5}, {Path: "larger", Value: 5, AtLeast: true},
	})
	if err == nil || !strings.Contains(err.Error(), "/missing") {
		t.Errorf("got %v", err)
	}
	if !reflect.DeepEqual(written, []string{`/wrong = 5 (was 4)`}) {
		t.Errorf("wrote %v", written)
	}
	if got, err := os.ReadFile(filepath.Join(root, "wrong")); err != nil || string(got) != "5" {
		t.Errorf("wrong has %q, %v", got, err)
	}
}

// TestOnlyRaised wants larger values of the node to stay, regardless of the
// configuration, and smaller ones to grow.
func TestOnlyRaised(t *testing.T) {
	most := 1000
	wanted := sysctls.Wanted(nodeconfig.Conntrack{MaxPerCore: &most, Min: new(int)}, false, 4)
	for _, c := range []struct{ max, hash, wantMax, wantHash string }{
		{"262144\n", "65536\n", "262144\n", "65536\n"},
		{"3999\n", "65536\n", "4000", "65536\n"},
		{"262144\n", "999\n", "262144\n", "1000"},
		{"100\n", "25\n", "4000", "1000"},
	} {
		root := t.TempDir()
		for _, s := range wanted {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(root, s.Path)), 0o700); err != nil {
				t.Fatal(err)
			}
			value := map[string]string{"nf_conntrack_max": c.max, "hashsize": c.hash}[filepath.Base(s.Path)]
			if err := os.WriteFile(filepath.Join(root, s.Path), []byte(value), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := sysctls.Apply(root, wanted); err != nil {
			t.Fatal(err)
		}
		for file, want := range map[string]string{"proc/sys/net/netfilter/nf_conntrack_max": c.wantMax, "sys/module/nf_conntrack/parameters/hashsize": c.wantHash} {
			if got, err := os.ReadFile(filepath.Join(root, file)); err != nil || string(got) != want {
				t.Errorf("%+v: %s has %q, %v", c, file, got, err)
			}
		}
	}
}

// TestCPUs wants the machine's processors to be counted, not those that the
// process may use, except if the list is invalid.
func TestCPUs(t *testing.T) {
	for list, want := range map[string]int{
		"0\n": 1, "0-3\n": 4, "0-3,8,10-11\n": 7, "": runtime.NumCPU(), "x": runtime.NumCPU(), "3-1": runtime.NumCPU(),
		"0-": runtime.NumCPU(), "0-99999999999": runtime.NumCPU(), "1,": runtime.NumCPU(),
	} {
		root := t.TempDir()
		file := filepath.Join(root, "sys/devices/system/cpu/online")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := sysctls.CPUs(root); got != want {
			t.Errorf("%q: got %d, want %d", list, got, want)
		}
	}
	if got := sysctls.CPUs(t.TempDir()); got != runtime.NumCPU() {
		t.Errorf("without a list: got %d", got)
	}
}
