package dnswrite

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/planec/planec/compiler/dns"
)

// Hosts writes the addresses of names as hosts(5) has them. The format has nothing for the
// other types, which a comment counts.
func Hosts(w io.Writer, zones ...dns.Zone) error {
	var all []dns.Record
	left := 0
	for _, z := range zones {
		all = append(all, z.Records...)
	}
	for i := range all {
		if t := all[i].Type; t != dns.A && t != dns.AAAA && t != dns.TXT {
			left++
		}
	}
	b := bufio.NewWriter(w)
	if left > 0 {
		fmt.Fprintf(b, "# %d records of ports and of other names have no place in this format\n", left)
	}
	for i := range all {
		if r := &all[i]; r.Type == dns.A || r.Type == dns.AAAA {
			fmt.Fprintf(b, "%s %s\n", r.Address, strings.TrimSuffix(r.Name, "."))
		}
	}
	return b.Flush()
}
