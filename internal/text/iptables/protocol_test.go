package iptables_test

import (
	"testing"

	"github.com/planec/planec/internal/text/iptables"
)

// TestNumericProtocol: both spellings of a rule are one.
func TestNumericProtocol(t *testing.T) {
	for rule, want := range map[string]string{
		"-A X -p gre -j RETURN":                          "-A X -p 47 -j RETURN",
		"-A X -p 47 -j RETURN":                           "-A X -p 47 -j RETURN",
		"-A X -p 99 -j RETURN":                           "-A X -p 99 -j RETURN",
		"-A X -s 10.0.0.0/8 ! -p mobility-header":        "-A X -s 10.0.0.0/8 ! -p 135",
		"-A X -p tcp -m tcp --dport 80 -j DROP":          "-A X -p tcp -m tcp --dport 80 -j DROP",
		"-A X -p ipv6-icmp -j DROP":                      "-A X -p ipv6-icmp -j DROP",
		`-A X -m comment --comment "a -p gre b" -j DROP`: `-A X -m comment --comment "a -p gre b" -j DROP`,
		"-A X -j DROP":                                   "-A X -j DROP",
	} {
		if got := iptables.NumericProtocol(rule); got != want {
			t.Errorf("%s: %s, want %s", rule, got, want)
		}
	}
	if n, known := iptables.ProtocolNumber("esp"); n != 50 || !known {
		t.Errorf("esp is %d, %v", n, known)
	}
}
