// Package sysctls sets the kernel settings that a service proxy needs: limits and
// timeouts of connection tracking, with kube-proxy's defaults
// (pkg/proxy/conntrack/sysctls.go of Kubernetes), and forwarding.
package sysctls

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/planec/planec/internal/input/nodeconfig"
)

// Setting is the wanted value of a file in /proc/sys or /sys.
type Setting struct {
	// Path is relative to the root of the file system: proc/sys/net/ipv4/ip_forward.
	Path  string
	Value int // the value, or the minimum if AtLeast is set
	// AtLeast keeps a larger value.
	AtLeast bool
}

// Defaults of kube-proxy (pkg/proxy/apis/config/v1alpha1/defaults.go), and its
// maximum for machines with very many cores.
const (
	defaultMaxPerCore     = 32 << 10
	defaultMin            = 128 << 10
	mostConnections       = 1 << 20
	defaultTCPEstablished = 24 * time.Hour
	defaultTCPCloseWait   = time.Hour
)

// The paths of the settings.
const (
	netfilterPath = "proc/sys/net/netfilter/nf_conntrack_"
	hashSizePath  = "sys/module/nf_conntrack/parameters/hashsize"
	forwardPath   = "proc/sys/net/ipv4/ip_forward"
)

// perBucket is the maximum number of connections per bucket of the hash table.
const perBucket = 4

// Wanted returns the settings for a machine with the given number of processors
// (see [CPUs]). The connection tracking table and its hash are never made smaller.
func Wanted(c nodeconfig.Conntrack, liberal bool, cpus int) []Setting {
	var out []Setting
	netfilter := func(name string, value int) {
		if value > 0 {
			out = append(out, Setting{Path: netfilterPath + name, Value: value})
		}
	}
	if m := most(c, cpus); m > 0 {
		out = append(out,
			Setting{Path: netfilterPath + "max", Value: m, AtLeast: true},
			Setting{Path: hashSizePath, Value: m / perBucket, AtLeast: true})
	}
	netfilter("tcp_timeout_established", seconds(c.TCPEstablished, defaultTCPEstablished))
	netfilter("tcp_timeout_close_wait", seconds(c.TCPCloseWait, defaultTCPCloseWait))
	netfilter("udp_timeout", int(c.UDP/time.Second))
	netfilter("udp_timeout_stream", int(c.UDPStream/time.Second))
	if liberal {
		netfilter("tcp_be_liberal", 1)
	}
	return append(out, Setting{Path: forwardPath, Value: 1})
}

// most returns the maximum number of tracked connections; 0 keeps the kernel's value.
func most(c nodeconfig.Conntrack, cpus int) int {
	perCore, floor := or(c.MaxPerCore, defaultMaxPerCore), or(c.Min, defaultMin)
	if perCore <= 0 {
		return 0
	}
	// The maximum limits only the computed value: a larger minimum was configured.
	return max(min(perCore*cpus, mostConnections), floor)
}

func or(p *int, otherwise int) int {
	if p == nil {
		return otherwise
	}
	return *p
}

func seconds(d *time.Duration, otherwise time.Duration) int {
	if d == nil {
		d = &otherwise
	}
	return int(*d / time.Second)
}

// Apply writes the settings that differ below root ("/") and says which, with what they were.
// It tries all settings; the error names every setting that could not be written.
func Apply(root string, wanted []Setting) (written []string, err error) {
	var errs []error
	for _, s := range wanted {
		file := filepath.Join(root, filepath.FromSlash(s.Path))
		text, err := os.ReadFile(file)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name(), err))
			continue
		}
		was := strings.TrimSpace(string(text))
		have, err := strconv.Atoi(was)
		if err == nil && (have == s.Value || s.AtLeast && have > s.Value) {
			continue
		}
		if err := os.WriteFile(file, []byte(strconv.Itoa(s.Value)), 0o644); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.name(), err))
			continue
		}
		written = append(written, fmt.Sprintf("%s = %d (was %s)", s.name(), s.Value, was))
	}
	return written, errors.Join(errs...)
}

// name returns the name of the setting in messages.
func (s Setting) name() string {
	if below, ok := strings.CutPrefix(s.Path, "proc/sys/"); ok {
		return "sysctl " + below
	}
	return "/" + s.Path
}
