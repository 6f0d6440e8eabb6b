package live

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sender is a client process that goes on sending from one connected socket.
type sender struct {
	words *bufio.Scanner
	stop  func()
}

// send starts a sender in the cgroup, and waits for its first answer.
func (n *node) send(t *testing.T, to ...string) *sender {
	t.Helper()
	dir, err := os.Open(n.cgroup)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	cmd := exec.Command("/proc/self/exe", to...)
	cmd.Env = append(os.Environ(), childEnv+"="+childSender)
	cmd.SysProcAttr = &unix.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd()), Pdeathsig: unix.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &sender{bufio.NewScanner(out), func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }}
	t.Cleanup(s.stop)
	return s
}

// says is the next line of a sender.
func (s *sender) says() string {
	if !s.words.Scan() {
		return ""
	}
	return s.words.Text()
}

// unconnected is what a sender's socket is connected to by connect(2) to AF_UNSPEC.
const unconnected = "nothing"

// disconnect makes a connected socket one that is connected to nothing.
func disconnect(fd int) error {
	none := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&none)), unsafe.Sizeof(none))
	if errno != 0 {
		return errno
	}
	return nil
}

// senderMain connects a socket to one address after the other, and says which endpoint
// answers at the last, and in the end why none can any more. It keeps the socket until it
// is killed.
func senderMain(to []string) {
	at := netip.MustParseAddrPort(to[0])
	domain := unix.AF_INET
	if at.Addr().Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range to {
		if a == unconnected {
			err = disconnect(fd)
		} else {
			err = unix.Connect(fd, sockaddr(netip.MustParseAddrPort(a), domain))
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	b := make([]byte, 100)
	for first := true; ; first = false {
		if _, err := unix.Write(fd, []byte("x")); err != nil {
			fmt.Println("ended:", err)
			break
		}
		size, err := unix.Read(fd, b)
		if err != nil {
			fmt.Println("ended:", err)
			break
		}
		if first {
			fmt.Println("answered by", string(b[:size]))
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(time.Minute) // the socket stays open
}

// TestEndedSocketsAreClosed: of the connected UDP sockets of a Service, those of one
// endpoint are closed, and the others go on.
func TestEndedSocketsAreClosed(t *testing.T) {
	n := newNode(t)
	if list, err := n.sockets.Connections(); err != nil || len(list) != 0 {
		t.Errorf("before the programs: %v, %v", list, err)
	}
	n.load(t, socketProgram())
	if _, err := n.sockets.Attach(context.Background()); err != nil {
		t.Fatal(err)
	}
	senders := make(map[netip.AddrPort][]*sender)
	for range 12 {
		s := n.send(t, "10.96.0.1:53")
		at := strings.TrimPrefix(s.says(), "answered by ")
		senders[netip.MustParseAddrPort(at)] = append(senders[netip.MustParseAddrPort(at)], s)
	}
	n.client(t, "tcp", "10.96.0.1:80", "1") // is not listed
	// Nor are sockets that are connected to a Service no more.
	if got := n.send(t, "10.96.0.1:53", "10.244.1.2:5353").says(); got != "answered by 10.244.1.2:5353" {
		t.Error(got)
	}
	if got := n.send(t, "10.96.0.1:53", unconnected).says(); got != "ended: destination address required" {
		t.Error(got)
	}
	list, err := n.sockets.Connections()
	if errors.Is(err, ErrKernel) && os.Getenv("CI") != "true" {
		t.Skip("SKIPPED, NOTHING WAS TESTED: ", err)
	}
	if err != nil || len(list) != 12 {
		t.Fatalf("%v, %v", list, err)
	}
	gone := list[0].Endpoint
	var ended []Connection
	for _, c := range list {
		if c.Service != netip.MustParseAddrPort("10.96.0.1:53") || len(senders[c.Endpoint]) == 0 {
			t.Errorf("%+v", c)
		}
		if c.Endpoint == gone {
			ended = append(ended, c)
		}
	}
	if len(ended) != len(senders[gone]) {
		t.Errorf("%d sockets of %v, want %d", len(ended), gone, len(senders[gone]))
	}
	none := Connection{Cookie: 1 << 60, Namespace: ended[0].Namespace}
	elsewhere := Connection{Cookie: 1 << 61, Namespace: 1}
	if closed, err := n.sockets.Close(append(ended, none, elsewhere)); err != nil || closed != len(ended) {
		t.Errorf("%d closed, %v; want %d", closed, err, len(ended))
	}
	for _, s := range senders[gone] {
		// The kernel tells the error to a read, and to a write that the socket is
		// connected to nothing.
		if got := s.says(); got != "ended: software caused connection abort" && got != "ended: destination address required" {
			t.Errorf("a sender of %v says %q", gone, got)
		}
	}
	if list, err = n.sockets.Connections(); err != nil || len(list) != 12-len(ended) {
		t.Errorf("%d sockets are left, %v; want %d", len(list), err, 12-len(ended))
	}
}
