package cni

import (
	"encoding/json"
	"fmt"
	"math/bits"
)

// Mark is a packet mark that a plugin sets or reads.
type Mark struct {
	// Value and Mask are as in iptables' --mark; no bit of Value is outside of Mask. A Mask
	// with several bits and Value 0 stands for any value in it.
	Value, Mask uint32
	Use         string // what it says of a packet, without a full stop
	// Shared marks kube-proxy's own bit, which the plugin uses as kube-proxy does: it asks
	// for masquerade, or finds out that kube-proxy does.
	Shared bool
}

// String returns "0x4000/0x4000".
func (m Mark) String() string { return fmt.Sprintf("%#x/%#x", m.Value, m.Mask) }

// MarshalJSON writes value and mask as iptables' --mark has them.
func (m Mark) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Mark   string `json:"mark"`
		Use    string `json:"use"`
		Shared bool   `json:"ofKubeProxy,omitempty"`
	}{m.String(), m.Use, m.Shared})
}

// kubeProxyBit is kube-proxy's default for iptables.masqueradeBit, and planec's.
const kubeProxyBit = 14

// dropBit was kube-proxy's for packets to be dropped, until Kubernetes 1.28; older
// kubelets make rules for it.
const dropBit = 15

// Taken returns the bits of the packet mark that the system uses for itself.
func (s *System) Taken() uint32 {
	var taken uint32
	for _, m := range s.Marks {
		if !m.Shared {
			taken |= m.Mask
		}
	}
	return taken
}

// SharesBit reports whether the system reads or sets kube-proxy's bit for masquerade.
func (s *System) SharesBit() bool {
	for _, m := range s.Marks {
		if m.Shared {
			return true
		}
	}
	return false
}

// On returns the marks of the system that use one of the bits, and are its own.
func (s *System) On(bitmask uint32) (list []Mark) {
	for _, m := range s.Marks {
		if !m.Shared && m.Mask&bitmask != 0 {
			list = append(list, m)
		}
	}
	return list
}

// FreeBit returns a bit of the packet mark for planec's masquerade that the system does
// not use: 14 if that is free, as kube-proxy has it, else the lowest free one of 16 to
// 31, else the highest free one below. It is false if there is none.
func (s *System) FreeBit() (bit int, ok bool) {
	taken := s.Taken() | 1<<dropBit
	if taken&(1<<kubeProxyBit) == 0 {
		return kubeProxyBit, true
	}
	if high := ^taken & 0xffff0000; high != 0 {
		return bits.TrailingZeros32(high), true
	}
	if low := ^taken & 0xffff; low != 0 {
		return 31 - bits.LeadingZeros32(low), true
	}
	return 0, false
}
