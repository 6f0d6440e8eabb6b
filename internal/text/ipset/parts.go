package ipset

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Part is one part of an element: an address, a network or a port.
type Part struct {
	// Name is that of the type: "ip", "net" or "port".
	Name string
	// Net is a network, or an address as one of full length; it is not valid for a port. Its
	// bits behind the length are those of the text.
	Net netip.Prefix
	// Protocol is the word before a port; it is empty in a set of ports alone.
	Protocol string
	Port     uint16
}

// PartNames returns the names of the parts that elements of a type have: those of
// "hash:ip,port" are "ip" and "port".
func PartNames(typ string) []string {
	_, list, _ := strings.Cut(typ, ":")
	return strings.Split(list, ",")
}

// Parts parses an element of a set of the type: "10.0.0.1,tcp:80" in "hash:ip,port", "80" in
// "bitmap:port". A type with other parts than addresses, networks and ports is an error.
func Parts(typ, element string) ([]Part, error) {
	names, words := PartNames(typ), strings.Split(element, ",")
	if len(words) != len(names) {
		return nil, fmt.Errorf("%d parts in a set of %s", len(words), typ)
	}
	out := make([]Part, len(names))
	for i, name := range names {
		out[i].Name = name
		if err := out[i].read(words[i], strings.HasPrefix(typ, "bitmap:")); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// read parses the part's word. Ports of bitmaps have no protocol.
func (p *Part) read(word string, bitmap bool) error {
	switch p.Name {
	case "port":
		number := word
		if !bitmap {
			var is bool
			if p.Protocol, number, is = strings.Cut(word, ":"); !is {
				return fmt.Errorf("%q is no port of a protocol", word)
			}
		}
		n, err := strconv.ParseUint(number, 10, 16)
		p.Port = uint16(n)
		return err
	case "ip", "net":
		a, err := netip.ParseAddr(word)
		if err == nil && a.Zone() != "" {
			return fmt.Errorf("%q has a zone", word)
		}
		if err == nil {
			p.Net = netip.PrefixFrom(a, a.BitLen())
		} else if p.Name == "net" {
			p.Net, err = netip.ParsePrefix(word)
		}
		return err
	}
	return fmt.Errorf("parts of the kind %q are not known", p.Name)
}
