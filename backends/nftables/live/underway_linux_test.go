package live

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// denying is a node whose "pod" 127.0.0.1 may not send to its own network: class is
// that of the network, profile that of the pod.
const denying = `add table ip planec
delete table ip planec
add table ip6 planec
delete table ip6 planec
table ip planec {
	map hosts {
		type ipv4_addr : classid
	}

	map networks {
		type ipv4_addr : classid
		flags interval
		elements = {
			127.0.0.0/8 : %[1]s
		}
	}

	map egress {
		type ipv4_addr : verdict
		elements = {
			127.0.0.1 : goto out-%[2]s
		}
	}

	map out-%[2]s {
		type classid : verdict
		elements = {
			%[1]s : goto row-deny,
			root : goto row-accept
		}
	}

	chain policy-egress {
		type filter hook forward priority filter + 10; policy accept;
		ip saddr vmap @egress
	}

	chain policy-input {
		type filter hook input priority filter + 10; policy accept;
		ip saddr vmap @egress
	}

	chain out-%[2]s {
		jump peer-destination
		meta priority vmap @out-%[2]s
		meta priority set root
		meta priority vmap @out-%[2]s
	}

	chain peer-destination {
		meta priority set none
		meta priority set ip daddr map @networks
		meta priority set ip daddr map @hosts
	}

	chain row-accept {
		meta priority set none
		accept
	}

	chain row-deny {
		meta priority set none
		drop
	}
}
`

// TestDeniedWhileChanging sends what both the old and the new policies deny, without a
// pause, while the network's class changes, or the pod's profile does: nothing comes
// through, also of the packets that are on their way while the rules change.
func TestDeniedWhileChanging(t *testing.T) {
	for name, text := range map[string]func(i int) string{
		"the class":   func(i int) string { return fmt.Sprintf(denying, fmt.Sprintf("2429:000%d", 1+i%2), "profile") },
		"the profile": func(i int) string { return fmt.Sprintf(denying, "2429:0001", fmt.Sprintf("profile-%d", i%2)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			var sent, received atomic.Int64
			stop := flood(t, r, &sent, &received)
			for received.Load() == 0 {
				time.Sleep(time.Millisecond) // without rules they do
			}
			r.apply(Diff(r.observe(), parse(t, text(0))))
			// What came before waits in the socket until its reader has a CPU.
			for last := int64(-1); received.Load() != last; time.Sleep(100 * time.Millisecond) {
				last = received.Load()
			}
			received.Store(0)
			for i := range 60 {
				before := sent.Load()
				r.apply(Diff(r.observe(), parse(t, text(i+1))))
				for sent.Load() == before {
					time.Sleep(time.Millisecond)
				}
			}
			stop()
			if sent.Load() == 0 || received.Load() != 0 {
				t.Errorf("%d of %d packets came through", received.Load(), sent.Load())
			}
		})
	}
}

// flood sends packets of the "pod" to itself until it is stopped, and counts those
// that arrive.
func flood(t *testing.T, r *rig, sent, received *atomic.Int64) (stop func()) {
	t.Helper()
	var in net.PacketConn
	var out net.Conn
	r.do(func() (err error) {
		if in, err = net.ListenPacket("udp4", "127.0.0.1:0"); err != nil {
			return err
		}
		out, err = net.Dial("udp4", in.LocalAddr().String())
		return err
	})
	read, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(read)
		b := make([]byte, 1)
		for {
			if _, _, err := in.ReadFrom(b); err != nil {
				return
			}
			received.Add(1)
		}
	}()
	var done atomic.Bool
	go func() {
		defer close(written)
		for !done.Load() {
			// The kernel tells the sender of what it dropped.
			_, _ = out.Write([]byte{1})
			sent.Add(1)
		}
	}()
	return func() {
		done.Store(true)
		<-written
		_ = out.Close()
		_ = in.Close()
		<-read
	}
}
