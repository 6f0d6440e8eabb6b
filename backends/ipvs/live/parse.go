package live

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ipvs"
	xtlive "github.com/planec/planec/backends/xtables/live"
)

// State is what of IPVS and what goes with it is in a kernel or in an artifact.
type State struct {
	// services of a kernel are all, also those of others.
	services services
	device   device
	// sysctls of a kernel are those of [sysctlNames] that it has.
	sysctls map[string]string
	// rules has the sets too, those of the journal among them.
	rules *xtlive.State
}

// device is the dummy interface.
type device struct {
	there, up bool
	// addresses are those of its own; the value says whether one is
	// deprecated, so that the kernel does not choose it for a source.
	addresses map[netip.Addr]bool
}

// nothing is the state of a kernel that has nothing of ours.
func nothing() *State {
	return &State{services: make(services), device: device{addresses: make(map[netip.Addr]bool)}, rules: xtlive.Nothing()}
}

// Parse reads the files of an artifact.
func Parse(a backends.Artifact) (*State, error) {
	s := nothing()
	for _, f := range []struct {
		name string
		line func([]string) error
	}{
		{ipvs.ServicesFile, s.services.line},
		{ipvs.AddressesFile, s.device.line},
		{ipvs.SysctlFile, s.sysctl},
	} {
		if !hasFile(a, f.name) {
			return nil, fmt.Errorf("the artifact has no %s", f.name)
		}
		if err := parseLines(f.name, a.File(f.name), f.line); err != nil {
			return nil, err
		}
	}
	var err error
	if s.rules, err = xtlive.Parse(a); err != nil {
		return nil, err
	}
	return s, nil
}

// hasFile reports whether an artifact has a file, be it empty.
func hasFile(a backends.Artifact, name string) bool {
	return slices.ContainsFunc(a.Files, func(f backends.File) bool { return f.Name == name })
}

// parseLines reads a file, or a part of it.
func parseLines(name string, text []byte, read func(words []string) error) error {
	for line := range bytes.Lines(text) {
		words := strings.Fields(string(line))
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := read(words); err != nil {
			return fmt.Errorf("%s: %q: %w", name, bytes.TrimSpace(line), err)
		}
	}
	return nil
}

// line reads a line for ipvsadm -R.
func (s services) line(w []string) error {
	key, rest, err := parseKey(w)
	if err != nil {
		return err
	}
	switch w[0] {
	case "-A":
		v, err := parseSettings(rest)
		if err != nil {
			return err
		}
		s[key] = &service{settings: v, destinations: make(map[netip.AddrPort]destination)}
	case "-a":
		if s[key] == nil {
			return fmt.Errorf("there is no such virtual service")
		}
		addr, d, err := parseDestination(rest)
		if err != nil {
			return err
		}
		s[key].destinations[addr] = d
	default:
		return fmt.Errorf("unknown command")
	}
	return nil
}

// parseKey reads "-A -t 10.0.0.1:80" and the like and returns what follows.
func parseKey(w []string) (k Key, rest []string, err error) {
	if len(w) < 3 {
		return k, nil, fmt.Errorf("too few words")
	}
	rest = w[3:]
	switch w[1] {
	case "-t":
		k.Protocol = tcp
	case "-u":
		k.Protocol = udp
	case "--sctp-service":
		k.Protocol = sctp
	case "-f":
		mark, err := strconv.ParseUint(w[2], 10, 32)
		if err != nil || mark == 0 {
			return k, nil, fmt.Errorf("no mark")
		}
		k.Mark = uint32(mark)
		if len(rest) > 0 && rest[0] == "-6" {
			k.IPv6, rest = true, rest[1:]
		}
		return k, rest, nil
	default:
		return k, nil, fmt.Errorf("no virtual service")
	}
	k.Address, err = netip.ParseAddrPort(w[2])
	k.IPv6 = k.Address.Addr().Is6()
	return k, rest, err
}

func parseSettings(w []string) (s settings, err error) {
	if len(w)%2 != 0 {
		return s, fmt.Errorf("an option without a value")
	}
	for i := 0; i < len(w); i += 2 {
		switch w[i] {
		case "-s":
			s.scheduler = w[i+1]
		case "-p":
			seconds, err := strconv.ParseUint(w[i+1], 10, 32)
			if err != nil || seconds == 0 {
				return s, fmt.Errorf("no persistence: %q", w[i+1])
			}
			s.persistence = uint32(seconds)
		default:
			return s, fmt.Errorf("unknown option %s", w[i])
		}
	}
	if s.scheduler == "" {
		return s, fmt.Errorf("no scheduler")
	}
	return s, nil
}

// parseDestination reads "-r 10.1.0.1:8080 -m -w 1", the only form there is.
func parseDestination(w []string) (addr netip.AddrPort, d destination, err error) {
	if len(w) != 5 || w[0] != "-r" || w[2] != "-m" || w[3] != "-w" {
		return addr, d, fmt.Errorf("no destination that planec makes")
	}
	if addr, err = netip.ParseAddrPort(w[1]); err != nil {
		return addr, d, err
	}
	weight, err := strconv.ParseUint(w[4], 10, 16)
	d.weight = uint32(weight)
	return addr, d, err
}

// line reads a line for ip -batch.
func (d *device) line(w []string) error {
	at := len(w)
	for i := range w {
		if w[i] == "dev" || w[i] == "link" {
			at = i
		}
	}
	switch verb := strings.Join(w[:min(2, len(w))], " "); {
	case verb == "link add" && len(w) == 5 && w[2] == ipvs.Device && w[4] == "dummy":
		d.there = true
	case verb == "link set" && len(w) == 4 && w[2] == ipvs.Device && w[3] == "up":
		d.up = true
	case verb == "address flush":
	case verb == "address add" && at == 3 && len(w) > 4 && w[4] == ipvs.Device:
		p, err := netip.ParsePrefix(w[2])
		if err != nil || !p.IsSingleIP() {
			return fmt.Errorf("no single address")
		}
		d.addresses[p.Addr()] = p.Addr().Is6()
	default:
		return fmt.Errorf("unknown command")
	}
	return nil
}

// sysctl reads a line "name = value".
func (s *State) sysctl(w []string) error {
	if len(w) != 3 || w[1] != "=" {
		return fmt.Errorf("no setting")
	}
	if s.sysctls == nil {
		s.sysctls = make(map[string]string)
	}
	s.sysctls[w[0]] = w[2]
	return nil
}
