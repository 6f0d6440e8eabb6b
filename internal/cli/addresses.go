//go:build !js

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/planec/planec/compiler/ipam"
	"github.com/planec/planec/ir/diag"
)

func newAddresses(s *Streams) *cobra.Command {
	var in input
	var format string
	cmd := &cobra.Command{
		Use:   "addresses -f PATH...",
		Short: "Say which addresses of pools Services of type LoadBalancer get, and why",
		Long: `addresses reads pools of addresses (CiliumLoadBalancerIPPool, IPAddressPool of
MetalLB) and prints which Service of type LoadBalancer gets which address, as
planec-agent --lb-ipam gives them: a Service keeps what its status has; then come
the addresses that Services ask for; then each other Service, the older first, gets
the lowest free address of the first pool that is for it. It says why a Service has
no address, and how much of each pool is free.

The status of a Service that another controller has written is left alone. With
--synth, the families of Services are those that a cluster would give them.`,
		Example: `  planec addresses -f manifests/ -R
  planec addresses --context prod

  # Which Service gets, loses or changes its address by a change
  planec diff git:origin/main:manifests manifests --synth`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			l, err := in.load(s)
			if err != nil {
				return err
			}
			r := l.addresses
			if r == nil {
				made := ipam.Allocate(&l.objects, in.balancing)
				r, l.read = &made, append(l.read, made.Diagnostics...)
			}
			if err := printAddresses(s.Out, r, format); err != nil {
				return err
			}
			return l.report(l.read)
		},
	}
	in.care = empty
	in.register(cmd.Flags())
	formatFlag(cmd.Flags(), &format, "text", "json")
	return cmd
}

func printAddresses(w io.Writer, r *ipam.Result, format string) error {
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return written(e.Encode(addressesJSON(r)))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SERVICE\tADDRESS\tPOOL\tWHY")
	for i := range r.Services {
		for _, row := range addressRows(&r.Services[i]) {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.Services[i].Service, row[0], row[1], diag.Printable(row[2]))
		}
	}
	fmt.Fprintln(t, "\nPOOL\tUSED\tFREE IPV4\tFREE IPV6\tSTATE")
	for i := range r.Pools {
		p := &r.Pools[i]
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\n", p.Name, p.Used[0]+p.Used[1], freeText(p.Free[0]), freeText(p.Free[1]), poolState(p))
	}
	return written(t.Flush())
}

// addressRows returns the addresses of a Service with their pools and why, or one row without.
func addressRows(a *ipam.Assignment) (out [][3]string) {
	for _, x := range a.Addresses {
		pool := x.Pool.String()
		if x.Pool == (ipam.PoolName{}) {
			pool = "-"
		}
		out = append(out, [3]string{x.Addr.String(), pool, x.Cause.String()})
	}
	for _, l := range a.Lost {
		out = append(out, [3]string{l.Addr.String(), "-", "lost: " + l.Why})
	}
	for _, f := range a.Findings {
		out = append(out, [3]string{"-", "-", f.Message})
	}
	if len(out) == 0 && a.Outcome == ipam.OtherClass {
		out = append(out, [3]string{"-", "-", "loadBalancerClass " + strconv.Quote(a.Class) + " is not served here"})
	}
	if len(out) == 0 {
		out = append(out, [3]string{"-", "-", "nothing to do"})
	}
	return out
}

func freeText(n uint64) string {
	if n == math.MaxUint64 {
		return "2^64 or more"
	}
	return strconv.FormatUint(n, 10)
}

func poolState(p *ipam.PoolUse) string {
	switch {
	case p.Disabled:
		return "disabled"
	case p.Conflict != "":
		return "gives nothing new: " + p.Conflict
	}
	return "open"
}

// addressDocument is the JSON form of an allocation.
type addressDocument struct {
	Services []addressedService `json:"services"`
	Pools    []addressPool      `json:"pools"`
}

type addressedService struct {
	Service   string           `json:"service"` // namespace/name
	Outcome   string           `json:"outcome"` // served, foreign, other-class or released
	Addresses []addressedEntry `json:"addresses"`
	Lost      []addressLoss    `json:"lost,omitempty"`
	Findings  []addressFinding `json:"findings,omitempty"`
}

type addressedEntry struct {
	Address string `json:"address"`
	Pool    string `json:"pool,omitempty"` // "kind name" or "kind namespace/name"
	Cause   string `json:"cause"`          // kept, requested, shared, new or of-another-controller
}

type addressFinding struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type addressLoss struct {
	Address string `json:"address"`
	Why     string `json:"why"`
}

type addressPool struct {
	Pool     string `json:"pool"`
	Used     uint64 `json:"used"`
	FreeIPv4 uint64 `json:"freeIPv4"` // stops at 2^64-1
	FreeIPv6 uint64 `json:"freeIPv6"`
	State    string `json:"state"` // open, disabled, or why it gives nothing new
}

func addressesJSON(r *ipam.Result) addressDocument {
	out := addressDocument{Services: []addressedService{}, Pools: []addressPool{}}
	for i := range r.Services {
		a := &r.Services[i]
		s := addressedService{Service: a.Service.String(), Outcome: strings.ReplaceAll(a.Outcome.String(), " ", "-"), Addresses: []addressedEntry{}}
		for _, x := range a.Addresses {
			entry := addressedEntry{Address: x.Addr.String(), Cause: strings.ReplaceAll(x.Cause.String(), " ", "-")}
			if x.Pool != (ipam.PoolName{}) {
				entry.Pool = x.Pool.String()
			}
			s.Addresses = append(s.Addresses, entry)
		}
		for _, f := range a.Findings {
			s.Findings = append(s.Findings, addressFinding{string(f.Code), f.Message})
		}
		for _, l := range a.Lost {
			s.Lost = append(s.Lost, addressLoss{l.Addr.String(), l.Why})
		}
		out.Services = append(out.Services, s)
	}
	for i := range r.Pools {
		p := &r.Pools[i]
		out.Pools = append(out.Pools, addressPool{p.Name.String(), p.Used[0] + p.Used[1], p.Free[0], p.Free[1], poolState(p)})
	}
	return out
}
