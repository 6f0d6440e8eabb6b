package sysctls_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/internal/nodeconfig"
	"github.com/planec/planec/internal/sysctls"
)

func TestWanted(t *testing.T) {
	const n = "net/netfilter/nf_conntrack_"
	forward := sysctls.Setting{Path: "net/ipv4/ip_forward", Value: 1}
	for _, c := range []struct {
		name    string
		config  nodeconfig.Conntrack
		liberal bool
		cpus    int
		want    []sysctls.Setting
	}{
		{"defaults", nodeconfig.Conntrack{}, false, 8, []sysctls.Setting{
			{Path: n + "max", Value: 262144, AtLeast: true}, {Path: n + "tcp_timeout_established", Value: 86400}, {Path: n + "tcp_timeout_close_wait", Value: 3600}, forward,
		}},
		{"few processors", nodeconfig.Conntrack{TCPEstablished: new(time.Duration), TCPCloseWait: new(time.Duration)}, false, 1, []sysctls.Setting{{Path: n + "max", Value: 131072, AtLeast: true}, forward}},
		{"many processors", nodeconfig.Conntrack{TCPEstablished: new(time.Duration), TCPCloseWait: new(time.Duration)}, false, 256, []sysctls.Setting{{Path: n + "max", Value: 1048576, AtLeast: true}, forward}},
		{"the kernel's limit", nodeconfig.Conntrack{MaxPerCore: new(int), TCPEstablished: new(time.Duration), TCPCloseWait: new(time.Duration), UDP: time.Minute, UDPStream: 2 * time.Minute}, true, 4, []sysctls.Setting{
			{Path: n + "udp_timeout", Value: 60}, {Path: n + "udp_timeout_stream", Value: 120}, {Path: n + "tcp_be_liberal", Value: 1}, forward,
		}},
	} {
		if got := sysctls.Wanted(c.config, c.liberal, c.cpus); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestApply wants what differs to be written and nothing else, and one that is not
// there not to be in the others' way.
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
	if err == nil || !strings.Contains(err.Error(), "sysctl missing") {
		t.Errorf("got %v", err)
	}
	if !reflect.DeepEqual(written, []string{"wrong = 5"}) {
		t.Errorf("wrote %v", written)
	}
	if got, err := os.ReadFile(filepath.Join(root, "wrong")); err != nil || string(got) != "5" {
		t.Errorf("wrong has %q, %v", got, err)
	}
}
