package ebpf

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// verify checks the invariants of every image, so that programs and the
// interpreter can follow any reference without checks.
func (img *Image) verify() error {
	for i := range img.maps {
		if m := &img.maps[i]; !m.isArray() && !m.sorted(true) {
			return fmt.Errorf("map %s: the keys are not in order, or one is there twice", m.layout.Name)
		}
	}
	if err := img.verifyInfo(); err != nil {
		return fmt.Errorf("map meta: %w", err)
	}
	v := imageVerifier{
		Image: img, info: img.Info(), eps: img.maps[layout.Endpoints].Len(),
		sets: make(map[uint32]uint8), nextSet: layout.FirstSourceSet,
	}
	v.ranges = make([]layout.Route, 0, min(v.eps, img.maps[layout.Services].Len()))
	for _, c := range []mapCheck{{layout.Prefixes, v.prefix}, {layout.Sources, v.source}, {layout.Addresses, v.address}, {layout.Services, v.service}} {
		if err := c.run(img); err != nil {
			return err
		}
	}
	return errors.Join(v.pools(), v.sourceSets(), v.serviceRanges(), v.policies(), v.switches())
}

// mapCheck checks the entries of the map with that index, one by one.
type mapCheck struct {
	index int
	entry func(i int, m *Map) error
}

func (c mapCheck) run(img *Image) error {
	m := &img.maps[c.index]
	for i := range m.Len() {
		if err := c.entry(i, m); err != nil {
			return fmt.Errorf("map %s: entry %d: %w", m.layout.Name, i, err)
		}
	}
	return nil
}

func (img *Image) verifyInfo() error {
	meta := &img.maps[layout.Meta]
	if meta.Len() != 1 {
		return fmt.Errorf("%d entries instead of one", meta.Len())
	}
	info := img.Info()
	if !info.ValidInfo() {
		return errors.New("unknown version, flags or features")
	}
	for i := range img.maps {
		if n := img.maps[i].Len(); n != int(info.Count(i)) {
			return fmt.Errorf("it counts %d entries of map %s, which has %d", info.Count(i), img.maps[i].layout.Name, n)
		}
	}
	if info.Digest != img.computeDigest() {
		return fmt.Errorf("%w: the image is not the one it says it is", ErrDigest)
	}
	return nil
}

// imageVerifier collects the references of entries.
type imageVerifier struct {
	*Image
	info     layout.Info
	eps      int
	features layout.Features
	// sets maps each set of source ranges to its family.
	sets map[uint32]uint8
	// ranges are the pools in the order of their first use, which is that of their bases. next is
	// where the next one must begin, nextSet the number of the next set.
	ranges        []layout.Route
	next, nextSet uint32
	// units is memory for the check of one pool.
	units []uint64
	// elsewhere are how many service ranges are in prefix, by family.
	elsewhere [2]int
}

// switches checks that meta requires exactly the features that the image needs.
func (v *imageVerifier) switches() error {
	if v.info.Flags&(layout.FlagMasqueradeIPv4|layout.FlagMasqueradeIPv6) != 0 {
		v.features |= layout.FeatureNodeMasquerade
	}
	if v.info.Detector >= layout.DetectInterface {
		v.features |= layout.FeatureInterfaceDetector
	}
	if v.features != v.info.Features {
		return fmt.Errorf("map meta: features %#x, but the image needs %#x", uint64(v.info.Features), uint64(v.features))
	}
	return nil
}

// prefix checks one entry of prefix.
func (v *imageVerifier) prefix(i int, m *Map) error {
	set, p, err := canonicalPrefix(i, m)
	switch {
	case err != nil:
		return err
	case layout.SetName(set) == "":
		return fmt.Errorf("unknown set %d", set)
	case p.Addr().Is6() != (set%2 == 1):
		return fmt.Errorf("%v is of another family than its set %d", p, set)
	case set&^1 == layout.SetServiceCIDR:
		v.elsewhere[set%2]++
	}
	return nil
}

// source checks one entry of source.
func (v *imageVerifier) source(i int, m *Map) error {
	set, p, err := canonicalPrefix(i, m)
	if err != nil {
		return err
	}
	family := uint8(ir.FamilyOf(p.Addr()))
	if have, ok := v.sets[set]; ok && have != family || set < layout.FirstSourceSet {
		return fmt.Errorf("set %d is none, or has prefixes of both families", set)
	}
	v.sets[set] = family
	return nil
}

// canonicalPrefix reads an entry of a trie of prefixes.
func canonicalPrefix(i int, m *Map) (set uint32, p netip.Prefix, err error) {
	key := layout.DecodePrefixKey(m.Key(i))
	p = key.Prefix()
	if !p.IsValid() || p.Masked() != p || layout.DecodeIndex(m.Value(i)) != 1 {
		return 0, p, fmt.Errorf("%v of %d bits is no prefix in its canonical form", key.Address.Addr(), key.Bits)
	}
	return key.Set.Number(), p, nil
}

// serviceRanges checks that ranges are in prefix only where meta has no room for them.
func (v *imageVerifier) serviceRanges() error {
	for f, n := range v.elsewhere {
		if elsewhere := v.info.RangeCounts[f] == layout.RangesElsewhere; elsewhere != (n > layout.MaxRanges) || !elsewhere && n > 0 {
			return fmt.Errorf("map prefix: %d service ranges, where meta says otherwise", n)
		}
	}
	return nil
}

// address checks one entry of addr.
func (v *imageVerifier) address(i int, m *Map) error {
	if f := layout.DecodeIndex(m.Value(i)); !layout.ValidAddressFlags(f) {
		return fmt.Errorf("unknown flags %#x", f)
	}
	return nil
}
