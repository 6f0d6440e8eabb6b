package live

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	xtlive "github.com/planec/planec/backends/xtables/live"
	"github.com/planec/planec/internal/text/ipbatch"
	"github.com/planec/planec/internal/text/ipvsadm"
	"github.com/planec/planec/internal/text/sysctl"
	"github.com/planec/planec/ir"
)

// State is the state of IPVS and related objects in a kernel or in an artifact.
type State struct {
	// services of a kernel include foreign ones.
	services services
	device   device
	// sysctls of a kernel are those of [sysctlNames] that exist.
	sysctls map[string]string
	// rules include the sets, also those of the journal.
	rules *xtlive.State
}

// device is the dummy interface.
type device struct {
	there, up bool
	// addresses maps planec's addresses to whether they are deprecated, so that
	// the kernel does not choose them as source addresses.
	addresses map[netip.Addr]bool
}

// nothing returns the state of a kernel without objects of planec.
func nothing() *State {
	return &State{services: make(services), sysctls: make(map[string]string), device: device{addresses: make(map[netip.Addr]bool)}, rules: xtlive.Nothing()}
}

// Parse reads the files of an artifact.
func Parse(a backends.Artifact) (*State, error) {
	s := nothing()
	for _, f := range s.files() {
		if !hasFile(a, f.name) {
			return nil, fmt.Errorf("the artifact has no %s", f.name)
		}
		if err := f.read(a.File(f.name)); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	var err error
	if s.rules, err = xtlive.Parse(a); err != nil {
		return nil, err
	}
	return s, nil
}

// file is a file of an artifact, or a part of one, with its parser.
type file struct {
	name   string
	read   func(text []byte) error
	starts func(last, line []byte) bool
}

func (s *State) files() []file {
	return []file{
		{ipvs.ServicesFile, s.services.read, startsService},
		{ipvs.AddressesFile, s.device.read, xtlive.EveryLine},
		{ipvs.SysctlFile, func(text []byte) error { return sysctl.Read(s.sysctls, text) }, xtlive.EveryLine},
	}
}

// hasFile reports whether an artifact has a file, even if it is empty.
func hasFile(a backends.Artifact, name string) bool {
	return slices.ContainsFunc(a.Files, func(f backends.File) bool { return f.Name == name })
}

// read parses the input of ipvsadm -R.
func (s services) read(text []byte) error {
	for c, err := range ipvsadm.Commands(text) {
		if err != nil {
			return err
		}
		switch k := (Key{ir.Protocol(c.Protocol), c.Address, c.Mark, c.IPv6}); {
		case !c.Adds:
			s[k] = &service{settings: settings{scheduler: c.Scheduler, persistence: c.Persistence}, destinations: make(map[netip.AddrPort]destination)}
		case s[k] == nil:
			return fmt.Errorf("%q: there is no such virtual service", c.Text)
		default:
			s[k].destinations[c.Destination] = destination{weight: uint32(c.Weight)}
		}
	}
	return nil
}

// read parses the input of ip -batch.
func (d *device) read(text []byte) error {
	for c, err := range ipbatch.Commands(text) {
		if err != nil {
			return err
		}
		if c.Device != ipvs.Device {
			return fmt.Errorf("device %s is not planec's", c.Device)
		}
		switch c.Verb {
		case "link add":
			d.there = true
		case "link set":
			d.up = true
		case "address add":
			d.addresses[c.Address] = c.Address.Is6()
		}
	}
	return nil
}
