package dnswrite

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/planec/planec/compiler/dns"
)

// Authority is what a zone file says of the zone itself.
type Authority struct {
	// Server is the name of the name server, with its last dot. CoreDNS calls itself
	// "ns.dns." and the zone.
	Server string
	Serial uint32 // the version of the zone (RFC 1982): a server that copies it wants a larger one for a change
	TTL    uint32 // seconds, also for answers that a name does not exist
}

// Times of CoreDNS's own SOA record, in seconds.
const (
	refresh = 7200
	retry   = 1800
	expire  = 86400
)

// Zone writes one zone as a file. Names are written whole, so that each line can be read,
// searched and compared alone.
func Zone(w io.Writer, z dns.Zone, a Authority) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "$ORIGIN %s\n$TTL %d\n", z.Name, a.TTL)
	fmt.Fprintf(b, "%s %d IN SOA %s hostmaster.%s %d %d %d %d %d\n", z.Name, a.TTL, a.Server, z.Name, a.Serial, refresh, retry, expire, a.TTL)
	fmt.Fprintf(b, "%s %d IN NS %s\n", z.Name, a.TTL, a.Server)
	for i := range z.Records {
		r := &z.Records[i]
		fmt.Fprintf(b, "%s %d IN %s %s\n", r.Name, r.TTL, r.Type, Data(r))
	}
	return b.Flush()
}

// Data is a record's answer in the form of a zone file.
func Data(r *dns.Record) string {
	switch r.Type {
	case dns.A, dns.AAAA:
		return r.Address.String()
	case dns.SRV:
		return fmt.Sprintf("0 %d %d %s", r.Weight, r.Port, r.Target)
	case dns.TXT:
		return strconv.Quote(r.Text)
	}
	return r.Target
}

// FileName is what the file of a zone is called.
func FileName(z dns.Zone) string { return strings.TrimSuffix(z.Name, ".") + ".zone" }
