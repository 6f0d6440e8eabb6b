package ipbatch_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/planec/planec/internal/text/ipbatch"
)

func TestCommands(t *testing.T) {
	var got []string
	for c, err := range ipbatch.Commands([]byte("# a device\nlink add x type dummy\nlink set x up\naddress flush dev x\naddress add 10.0.0.1/32 dev x\naddress add fd00::1/128 dev x nodad preferred_lft 0\n")) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %v", c.Verb, c.Device, c.Address))
	}
	want := "link add x invalid IP,link set x invalid IP,address flush x invalid IP,address add x 10.0.0.1,address add x fd00::1"
	if strings.Join(got, ",") != want {
		t.Errorf("%q", got)
	}
	for _, line := range []string{
		"link", "link add x type bridge", "link set x down", "address add 10.0.0.1/8 dev x", "address add 10.0.0.1 dev x", "address add fd00::1/128 dev x",
		"address add 10.0.0.1/32 dev x nodad", "route add 10.0.0.0/8 dev x",
	} {
		for _, err := range ipbatch.Commands([]byte("\n" + line + "\n")) {
			if err == nil || !strings.Contains(err.Error(), "line 2") {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
}
