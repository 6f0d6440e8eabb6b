package ipvsadm_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/internal/text/ipvsadm"
)

func TestCommands(t *testing.T) {
	want := []ipvsadm.Command{
		{Key: ipvsadm.Key{Protocol: 6, Address: netip.MustParseAddrPort("10.0.0.1:80")}, Scheduler: "rr", Text: "-A -t 10.0.0.1:80 -s rr"},
		{Key: ipvsadm.Key{Mark: 16, IPv6: true}, Scheduler: "sh", Persistence: 60, Text: "-A -f 0x10 -6 -s sh -p 60"},
		{
			Key: ipvsadm.Key{Mark: 16, IPv6: true}, Adds: true, Destination: netip.MustParseAddrPort("[fd00::1]:80"), Weight: 2,
			Text: "-a -f 16 -6 -r [fd00::1]:80 -m -w 2",
		},
	}
	var text strings.Builder
	for _, w := range want {
		text.WriteString(w.Text + "\n")
	}
	n := 0
	for c, err := range ipvsadm.Commands([]byte(text.String())) {
		if err != nil || c != want[n] {
			t.Errorf("%+v (%v), want %+v", c, err, want[n])
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d commands", n)
	}
}

// TestStrict: input that planec does not write is an error with its line.
func TestStrict(t *testing.T) {
	for _, line := range []string{
		"-C", "-A -t 10.0.0.1:80", "-A -t 10.0.0.1 -s rr", "-A -x 10.0.0.1:80 -s rr", "-A -f 0 -s rr", "-A -t 10.0.0.1:80 -s rr -p 0",
		"-A -t 10.0.0.1:80 -s rr -p 2678401", "-A -t 10.0.0.1:80 -s rr -o", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1",
		"-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m", "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 65536", "-a -t 10.0.0.1:80 -r [fd00::1]:80 -m -w 1",
	} {
		for _, err := range ipvsadm.Commands([]byte("\n" + line + "\n")) {
			if err == nil || !strings.Contains(err.Error(), "line 2") {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
}
