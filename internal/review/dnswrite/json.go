package dnswrite

import (
	"encoding/json"
	"io"

	"github.com/planec/planec/compiler/dns"
	"github.com/planec/planec/ir"
)

// record is the stable form of a record in JSON.
type record struct {
	Zone   string    `json:"zone"`
	Name   string    `json:"name"`
	Type   string    `json:"type"`
	TTL    uint32    `json:"ttl"`
	Data   string    `json:"data"` // as in a zone file
	Origin ir.Origin `json:"origin"`
}

// JSON writes all records as one list.
func JSON(w io.Writer, zones []dns.Zone) error {
	out := []record{}
	for _, z := range zones {
		for i := range z.Records {
			r := &z.Records[i]
			out = append(out, record{z.Name, r.Name, string(r.Type), r.TTL, Data(r), r.Origin})
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
