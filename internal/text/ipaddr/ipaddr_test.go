package ipaddr_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/internal/text/ipaddr"
)

func read(text string) (out []ipaddr.Address, err error) {
	for a, err := range ipaddr.Addresses([]byte(text)) {
		if err != nil {
			return out, err
		}
		out = append(out, a)
	}
	return out, nil
}

// TestForms reads the same addresses in both forms, as iproute2 6.1 prints them.
func TestForms(t *testing.T) {
	want := []ipaddr.Address{{Device: "kube-ipvs0", Addr: netip.MustParseAddr("10.96.0.1")}, {Device: "kube-ipvs0", Addr: netip.MustParseAddr("fd00:10:96::1")}}
	for _, text := range []string{
		"3: kube-ipvs0    inet 10.96.0.1/32 scope global kube-ipvs0\\       valid_lft forever preferred_lft forever\n" +
			"3: kube-ipvs0    inet6 fd00:10:96::1/128 scope global tentative \\       valid_lft forever preferred_lft forever\n",
		`[{"ifindex":3,"ifname":"kube-ipvs0","flags":["BROADCAST","NOARP"],"addr_info":[{"family":"inet","local":"10.96.0.1","prefixlen":32,"scope":"global"},{"family":"inet6","local":"fd00:10:96::1","prefixlen":128}]}]`,
	} {
		if got, err := read(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if got, err := read("[]\n"); err != nil || len(got) > 0 {
		t.Errorf("no device: %v, %v", got, err)
	}
}

func TestStrict(t *testing.T) {
	for _, text := range []string{
		"3: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN", "3: kube-ipvs0    link/ether 00:00:00:00:00:01", "3: kube-ipvs0    inet\n",
		"3: kube-ipvs0    inet 10.96.0/32 scope global", `[{"ifname":"a","addr_info":[{"local":""}]}]`, `[{"ifname":1}]`, "[{\n",
	} {
		if got, err := read(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
