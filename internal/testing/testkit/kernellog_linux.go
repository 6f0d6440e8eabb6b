package testkit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"golang.org/x/sys/unix"
)

// allNamespaces lets packets of other namespaces than the first be logged.
const allNamespaces = "/proc/sys/net/netfilter/nf_log_all_netns"

// kernelLog makes the kernel log packets of all namespaces until the test ends. It
// returns a function that returns the lines written since. Tests of other packages wait,
// since the setting is the machine's.
func kernelLog(t testing.TB) func() string {
	t.Helper()
	setting, err := os.OpenFile(allNamespaces, os.O_RDWR, 0)
	if err != nil {
		t.Skipf("the kernel cannot log packets of namespaces: %v", err)
	}
	t.Cleanup(func() { setting.Close() })
	if err := unix.Flock(int(setting.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	was, err := os.ReadFile(allNamespaces)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(allNamespaces, []byte("1"), 0); err != nil {
		t.Skipf("the kernel does not log packets of namespaces: %v", err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(allNamespaces, was, 0); err != nil {
			t.Error(err)
		}
	})
	return fromNow(t)
}

// fromNow returns a function that returns the lines of the kernel's log since.
func fromNow(t testing.TB) func() string {
	t.Helper()
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("the kernel's log cannot be read: %v", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if _, err := unix.Seek(fd, 0, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	return func() string {
		var out bytes.Buffer
		record := make([]byte, 8192)
		for {
			n, err := unix.Read(fd, record)
			switch {
			case errors.Is(err, unix.EPIPE): // overwritten before it was read
			case err != nil:
				return out.String()
			default:
				out.Write(record[:n])
			}
		}
	}
}

// RunLogged loads a program whose policies log some packets, and wants exactly these
// in the kernel's log, with their prefixes, and once each.
func RunLogged(t testing.TB, load func(*Rig, *ir.Program) error) {
	t.Helper()
	p, flows := irtest.Logging(fmt.Sprintf("planec-%d", os.Getpid())), loggedFlows()
	r := New(t, SpecFor(p, flows))
	if err := load(r, p); err != nil {
		t.Fatal(err)
	}
	lines := kernelLog(t)
	e := eval.New(p)
	report, err := r.Check(t.Context(), flows, e.Eval, DefaultTimeout)
	if err != nil || len(report.Disagreements) > 0 {
		t.Fatalf("%v %v", err, report.Disagreements)
	}
	text := lines()
	logged := 0
	for _, f := range flows {
		want := e.Eval(r.Packet(f)).Logs
		var got []string
		for line := range strings.Lines(text) {
			if strings.Contains(line, f.logged()) {
				prefix, _, _ := strings.Cut(line[strings.Index(line, ";")+1:], "IN=")
				got = append(got, prefix)
			}
		}
		logged += len(got)
		if slices.Sort(got); !slices.Equal(slices.Compact(got), want) {
			t.Errorf("%v: logged with %q, want %q", f, got, want)
		}
	}
	if logged == 0 || logged == len(flows) {
		t.Errorf("%d of %d packets are logged", logged, len(flows))
	}
}

// logged is what the line of the flow's packet has, as nf_log_syslog.c writes it.
func (f Flow) logged() string {
	if f.Protocol.HasTypes() {
		return fmt.Sprintf("TYPE=%d CODE=%d", f.Type, f.Code)
	}
	return fmt.Sprintf("SPT=%d DPT=%d ", f.SourcePort, f.Port)
}

// loggedFlows are packets that [irtest.Logging] logs, and others.
func loggedFlows() []Flow {
	pod, other := irtest.Addrs("10.1.0.2", "192.0.2.9"), irtest.Addrs("fd00:10:1::2", "2001:db8:77::9")
	var out []Flow
	for i, ends := range [][]netip.Addr{pod, other} {
		echo := Flow{From: eval.FromOutside, Src: ends[1], Dst: ends[0], Protocol: ir.ICMP, Type: 8, Code: 7}
		if i == 1 {
			echo.Protocol, echo.Type = ir.ICMPv6, 128
		}
		out = append(out, echo)
		for j, port := range []uint16{80, 81, 82} {
			out = append(out, Flow{From: eval.FromOutside, Src: ends[1], Dst: ends[0], Protocol: ir.TCP, Port: port, SourcePort: uint16(21000 + 10*i + j)})
		}
	}
	return out
}
