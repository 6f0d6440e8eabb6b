// Package ipaddr parses the addresses that ip lists of devices, in two of its forms: one
// line for each (ip -o addr show), and JSON on one line (ip -j addr show). Other words of a
// line, such as scopes and lifetimes, are not read. Both forms are those of iproute2 6.
package ipaddr

import (
	"encoding/json"
	"fmt"
	"iter"
	"net/netip"
	"strings"

	"github.com/planec/planec/internal/text/quoted"
)

// Address is one address of a device.
type Address struct {
	Device string
	Addr   netip.Addr
}

// Addresses yields the addresses of a text, up to the first error. Of a device without an
// address ip prints nothing, or in JSON no address.
func Addresses(text []byte) iter.Seq2[Address, error] {
	return func(yield func(Address, error) bool) {
		for list, err := range quoted.Lines(text, line) {
			if err != nil {
				yield(Address{}, err)
				return
			}
			for _, a := range list {
				if !yield(a, nil) {
					return
				}
			}
		}
	}
}

// Is reports whether a line is one of these: "3: eth0    inet …", or an array in JSON.
func Is(line string) bool {
	number, _, is := strings.Cut(line, ": ")
	return is && number != "" && strings.Trim(number, "0123456789") == "" || line == "[]" || strings.HasPrefix(line, "[{")
}

func line(text string) ([]Address, error) {
	if strings.HasPrefix(text, "[") {
		return fromJSON(text)
	}
	r := quoted.NewReader(strings.Fields(text))
	r.Next() // the number of the device
	a := Address{Device: r.Next()}
	if family := r.Next(); family != "inet" && family != "inet6" {
		return nil, fmt.Errorf("%q where inet or inet6 is wanted; ip -o prints it", family)
	}
	word, _, _ := strings.Cut(r.Next(), "/")
	if r.Err() != nil {
		return nil, r.Err()
	}
	var err error
	a.Addr, err = netip.ParseAddr(word)
	return []Address{a}, err
}

// fromJSON reads the array that ip -j prints; fields besides these are not read.
func fromJSON(text string) (out []Address, err error) {
	var devices []struct {
		Device    string `json:"ifname"`
		Addresses []struct {
			Local string `json:"local"`
		} `json:"addr_info"`
	}
	if err := json.Unmarshal([]byte(text), &devices); err != nil {
		return nil, err
	}
	for _, d := range devices {
		for _, a := range d.Addresses {
			addr, err := netip.ParseAddr(a.Local)
			if err != nil {
				return nil, err
			}
			out = append(out, Address{Device: d.Device, Addr: addr})
		}
	}
	return out, nil
}
