package ebpf

import (
	"errors"
	"fmt"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir/resolve"
)

// policyVerifier collects the references in the maps of policies.
type policyVerifier struct {
	*imageVerifier
	ports portRows
	// used are the rows of port that an entry refers to.
	used     map[layout.PolicyID]bool
	profiles map[layout.PolicyID]layout.Pod
	classes  map[uint32]bool
	// tables are the directions of profiles that have entries in row, with the
	// number of entries for each row.
	tables map[layout.RowKey]map[layout.PolicyID]int
	// none are the entries of class 0.
	none map[layout.RowKey]layout.PolicyID
	// owns are the rows of profiles for packets from the own node.
	owns map[layout.PolicyID]layout.PolicyID
}

// policies checks the maps of policies, and the profile of the node in meta.
func (v *imageVerifier) policies() error {
	p := policyVerifier{
		imageVerifier: v, used: make(map[layout.PolicyID]bool), profiles: make(map[layout.PolicyID]layout.Pod),
		classes: make(map[uint32]bool), tables: make(map[layout.RowKey]map[layout.PolicyID]int), none: make(map[layout.RowKey]layout.PolicyID), owns: make(map[layout.PolicyID]layout.PolicyID),
	}
	var err error
	if p.ports, err = decodePorts(&v.maps[layout.Ports], &v.maps[layout.SourcePorts], &v.maps[layout.Logs]); err != nil {
		return err
	}
	if err := p.prefixes(); err != nil {
		return fmt.Errorf("map class: %w", err)
	}
	if err := p.node(); err != nil {
		return fmt.Errorf("map meta: the profile of the node: %w", err)
	}
	for _, c := range []mapCheck{{layout.Pods, p.pod}, {layout.Rows, p.row}} {
		if err := c.run(v.Image); err != nil {
			return err
		}
	}
	return p.needed()
}

// prefixes checks that class is canonical, that each prefix is of the family of
// its set, and that no prefix is redundant.
func (v *policyVerifier) prefixes() error {
	m := &v.maps[layout.Classes]
	list := make([]resolve.Network, m.Len())
	for i := range list {
		key, class := layout.DecodePrefixKey(m.Key(i)), layout.DecodeIndex(m.Value(i))
		p := key.Prefix()
		switch {
		case !p.IsValid() || p.Masked() != p:
			return fmt.Errorf("entry %d: %v of %d bits is no prefix in its canonical form", i, key.Address.Addr(), key.Bits)
		case key.Set.Number() != layout.ClassSet(p.Addr().Is6()):
			return fmt.Errorf("entry %d: %v is in set %d", i, p, key.Set.Number())
		}
		list[i] = resolve.Network{Prefix: p, Class: class}
		v.classes[class] = true
	}
	delete(v.classes, 0)
	slices.SortFunc(list, compareNetworks)
	var around enclosing
	for _, n := range list {
		if around.enter(n) == n.Class {
			return fmt.Errorf("%v has class %08x without it", n.Prefix, n.Class)
		}
	}
	return nil
}

// pod checks one entry of pod; all pods of a profile must have the same value.
func (v *policyVerifier) pod(i int, m *Map) error {
	return v.profile(layout.DecodePod(m.Value(i)))
}

// node checks the profile of the node, which judges nothing from the own node.
func (v *policyVerifier) node() error {
	switch p := v.info.Node; {
	case p == layout.Pod{}:
		return nil
	case p.Flags&layout.PodOwn != 0:
		return errors.New("it judges packets from the own node")
	default:
		return v.profile(p)
	}
}

func (v *policyVerifier) profile(p layout.Pod) error {
	if !p.ValidFlags() || p.Reserved != [4]byte{} || p.Profile.Reserved() {
		return errors.New("unknown flags, profile or reserved bytes")
	}
	if have, ok := v.profiles[p.Profile]; ok && have != p {
		return fmt.Errorf("profile %x is another for another pod", p.Profile)
	}
	v.profiles[p.Profile] = p
	for _, direction := range []uint8{layout.DirectionEgress, layout.DirectionIngress} {
		row, policed := p.Row(direction)
		if policed != (row != layout.PolicyID{}) || policed && !v.knows(row) {
			return fmt.Errorf("row %x is not there", row)
		}
	}
	v.features |= layout.FeaturePolicies
	return nil
}

// knows reports whether a row exists, and marks it and those of its source ports as
// used.
func (v *policyVerifier) knows(row layout.PolicyID) bool {
	r := v.ports.rows[row]
	if r != nil && !v.used[row] {
		v.used[row] = true
		for _, s := range r.sources {
			v.used[s.row] = true
		}
	}
	return row == layout.RowAccept || row == layout.RowDeny || r != nil
}

// row checks one entry of row.
func (v *policyVerifier) row(i int, m *Map) error {
	key, row := layout.DecodeRowKey(m.Key(i)), layout.PolicyID(m.Value(i))
	if key.Reserved != [3]byte{} || key.Direction < layout.DirectionEgress || key.Direction > layout.DirectionOwn {
		return fmt.Errorf("unknown direction %d, or reserved bytes", key.Direction)
	}
	if key.Direction == layout.DirectionOwn {
		return v.own(key, row)
	}
	profile := v.profiles[key.Profile]
	standard, policed := profile.Row(key.Direction)
	switch {
	case !policed:
		return fmt.Errorf("profile %x is no pod's, or not policed", key.Profile)
	case key.Class != layout.BE32{} && !v.classes[key.Class.Number()]:
		return fmt.Errorf("no address has class %08x", key.Class.Number())
	case !v.knows(row):
		return fmt.Errorf("row %x is not there", row)
	case row == standard:
		return fmt.Errorf("row %x is the default", row)
	}
	table := layout.RowKey{Profile: key.Profile, Direction: key.Direction}
	if key == table {
		v.none[table] = row
	}
	if v.tables[table] == nil {
		v.tables[table] = make(map[layout.PolicyID]int)
	}
	v.tables[table][row]++
	return nil
}

// own checks the row of a profile for packets from the own node.
func (v *policyVerifier) own(key layout.RowKey, row layout.PolicyID) error {
	profile := v.profiles[key.Profile]
	switch {
	case profile.Flags&layout.PodOwn == 0 || key.Class != layout.BE32{}:
		return fmt.Errorf("profile %x does not judge packets from the own node, which have no class", key.Profile)
	case row == layout.RowAccept:
		return errors.New("packets from the own node would pass without it")
	case !v.knows(row):
		return fmt.Errorf("row %x is not there", row)
	}
	v.owns[key.Profile] = row
	return nil
}

// needed checks that every entry is used.
func (v *policyVerifier) needed() error {
	for id, pod := range v.profiles {
		own := v.owns[id]
		if pod.Flags&layout.PodOwn != 0 && own == (layout.PolicyID{}) {
			return fmt.Errorf("map pod: profile %x: there is no row for packets from the own node", id)
		}
		logs := v.ports.rows.logs(own)
		for _, direction := range []uint8{layout.DirectionEgress, layout.DirectionIngress} {
			if row, policed := pod.Row(direction); policed {
				if err := v.table(layout.RowKey{Profile: id, Direction: direction}, row); err != nil {
					return fmt.Errorf("map pod: profile %x: direction %d: %w", id, direction, err)
				}
				logs = logs || v.ports.rows.logs(row)
				for row := range v.tables[layout.RowKey{Profile: id, Direction: direction}] {
					logs = logs || v.ports.rows.logs(row)
				}
			}
		}
		if logs != (pod.Flags&layout.PodLogs != 0) {
			return fmt.Errorf("map pod: profile %x: it logs, %v, but its flags say otherwise", id, logs)
		}
	}
	for _, id := range v.ports.ids {
		if !v.used[id] {
			return fmt.Errorf("map port: nothing refers to row %x", id)
		}
	}
	if len(v.profiles) == 0 && v.maps[layout.Classes].Len() > 0 {
		return errors.New("map class: no pod is policed")
	}
	return nil
}

// table checks that a direction refuses something, and that its default row is the
// one that Emit selects.
func (v *policyVerifier) table(key layout.RowKey, standard layout.PolicyID) error {
	count, profile := v.tables[key], v.profiles[key.Profile]
	denies := v.ports.rows.denies(standard)
	for row := range count {
		denies = denies || v.ports.rows.denies(row)
	}
	if denies != profile.Denies(key.Direction) {
		return fmt.Errorf("it denies something, %v, but its flags say otherwise", denies)
	}
	if len(count) == 0 {
		if standard == layout.RowAccept && (key.Direction != layout.DirectionIngress || profile.Flags&layout.PodOwn == 0) {
			return errors.New("it refuses nothing")
		}
		return nil
	}
	none, listed := v.none[key]
	if !listed {
		none = standard
	}
	count[standard] = 1 + len(v.classes)
	for row, n := range count {
		if row != standard {
			count[standard] -= n
		}
	}
	if want := standardRow(count, none); want != standard {
		return fmt.Errorf("the default is row %x, but %x is commoner", standard, want)
	}
	return nil
}
