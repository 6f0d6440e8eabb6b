//go:build !js

package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/planec/planec/compiler/dns"
	"github.com/planec/planec/internal/review/dnswrite"
)

// dnsCommand is `planec dns`.
type dnsCommand struct {
	streams *Streams
	input   input
	options dns.Options
	serial  uint32
	server  string
	outDir  string
	format  string
}

func newDNS(s *Streams) *cobra.Command {
	c := &dnsCommand{streams: s, serial: 1}
	cmd := &cobra.Command{
		Use:   "dns -f PATH...",
		Short: "List the DNS records of the cluster's Services",
		Long: `dns lists the names that the cluster's Services and endpoints have, as the
Kubernetes DNS specification and CoreDNS make them: addresses, ports (SRV), other
names (ExternalName), and the names of addresses (PTR). As a zone file, the records
of each zone follow its SOA; with --out-dir each zone is a file, and the addresses
are in DIR/hosts too. docs/dns.md says what there is no record for.`,
		Example: `  # What does a client get for a Service?
  planec dns -f manifests/ | grep cart

  # Zone files that a name server loads
  planec dns -f cluster.yaml --out-dir zones/

  # Names for this machine
  planec dns -f manifests/ --synth -o hosts`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	flags := cmd.Flags()
	c.input.register(flags)
	c.input.registerClusters(flags, "PATH")
	flags.StringVar(&c.options.Zone, "zone", dns.DefaultZone, "domain of the cluster")
	flags.Uint32Var(&c.options.TTL, "ttl", dns.DefaultTTL, "for how many seconds answers may be kept")
	flags.Uint32Var(&c.serial, "serial", c.serial, "version of the zones, in their SOA")
	flags.StringVar(&c.server, "server", "", "name of the name server in SOA and NS; ns.dns.ZONE by default, as CoreDNS calls itself")
	flags.StringVar(&c.outDir, "out-dir", "", "write a file for each zone, and one named hosts, below this directory")
	formatFlag(flags, &c.format, "zone", "hosts", "json")
	return cmd
}

func (c *dnsCommand) run() error {
	l, err := c.input.load(c.streams)
	if err != nil {
		return err
	}
	zones, diags, err := dns.Zones(&l.objects, c.options)
	if err != nil {
		return inputError(err)
	}
	if c.server != "" && !dns.IsName(c.server) {
		return inputError(fmt.Errorf("--server %.80q: want a DNS name", c.server))
	}
	if c.options.TTL == 0 {
		return inputError(errors.New("--ttl: want at least 1"))
	}
	if err := l.report(append(l.diagnostics(), diags...)); err != nil {
		return err
	}
	if c.outDir != "" {
		return c.files(zones)
	}
	return written(c.write(c.streams.Out, zones))
}

func (c *dnsCommand) write(w io.Writer, zones []dns.Zone) error {
	switch c.format {
	case "json":
		return dnswrite.JSON(w, zones)
	case "hosts":
		return dnswrite.Hosts(w, dns.OfServices(zones)...)
	}
	for _, z := range zones {
		if err := dnswrite.Zone(w, z, c.authority(zones)); err != nil {
			return err
		}
	}
	return nil
}

// authority is what the zone files say of their server.
func (c *dnsCommand) authority(zones []dns.Zone) dnswrite.Authority {
	server := c.server
	if server == "" {
		server = "ns.dns." + zones[0].Name
	}
	return dnswrite.Authority{Server: withDot(server), Serial: c.serial, TTL: c.options.TTL}
}

// withDot returns a name with its last dot.
func withDot(name string) string {
	if name[len(name)-1] == '.' {
		return name
	}
	return name + "."
}

// files writes each zone to a file of its own, and the addresses to another.
func (c *dnsCommand) files(zones []dns.Zone) error {
	if err := os.MkdirAll(c.outDir, 0o755); err != nil {
		return systemError(fmt.Errorf("making a directory for zones: %w", err))
	}
	for _, z := range zones {
		if err := c.file(dnswrite.FileName(z), func(w io.Writer) error { return dnswrite.Zone(w, z, c.authority(zones)) }); err != nil {
			return err
		}
	}
	return c.file("hosts", func(w io.Writer) error { return dnswrite.Hosts(w, dns.OfServices(zones)...) })
}

func (c *dnsCommand) file(name string, write func(io.Writer) error) error {
	err := replaceFile(filepath.Join(c.outDir, name), write)
	if known := (*exitError)(nil); err == nil || errors.As(err, &known) {
		return err
	}
	return systemError(fmt.Errorf("writing a zone: %w", err))
}
