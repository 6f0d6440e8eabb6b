package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// sharedProgram is one program, which all interfaces share.
type sharedProgram struct {
	*ebpf.Program
	id ebpf.ProgramID
}

// sharedPrograms are those of sides; nil is one that is missing or not as it should be.
type sharedPrograms [len(sides)]*sharedProgram

func (s *sharedPrograms) close() {
	for _, p := range s {
		if p != nil {
			p.Close()
		}
	}
}

// programs returns the programs that are pinned, or loads and pins them, and says what else it
// did.
func (i *Interfaces) programs(pods *cast) (have *sharedPrograms, steps []string, err error) {
	if have, err = i.pinnedPrograms(); err != nil {
		return nil, nil, err
	}
	missing := false
	for _, p := range have {
		missing = missing || p == nil
	}
	if !missing {
		return have, nil, nil
	}
	have.close()
	if steps, err = i.load(pods); err != nil {
		return nil, nil, err
	}
	if have, err = i.pinnedPrograms(); err != nil {
		return nil, nil, err
	}
	for s, p := range have {
		if p == nil {
			have.close()
			return nil, nil, fmt.Errorf("program %s is not what was loaded", sides[s].program)
		}
	}
	return have, steps, nil
}

// checked is what programs were compared with last: nothing of it can change under the same
// numbers.
type checked struct {
	programs        [len(sides)]ebpf.ProgramID
	pins            string // of maps
	rules, countAll bool
}

// pinnedPrograms opens the programs that are pinned and the same as those that would be loaded,
// with the maps that are pinned.
func (i *Interfaces) pinnedPrograms() (*sharedPrograms, error) {
	now := checked{rules: i.PacketRules, countAll: i.CountAll}
	var all sharedPrograms
	for s := range sides {
		var err error
		if all[s], err = openProgram(i.Dir, sides[s].program); err != nil {
			all.close()
			return &sharedPrograms{}, fmt.Errorf("program %s: %w", sides[s].program, err)
		}
		if all[s] != nil {
			now.programs[s] = all[s].id
		}
	}
	var err error
	if now.pins, err = pinsOf(i.Dir); err == nil && !i.isChecked(now) {
		err = i.check(&all, now)
	}
	if err != nil {
		all.close()
		return &sharedPrograms{}, err
	}
	return &all, nil
}

func (i *Interfaces) isChecked(now checked) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.last == now && now.programs != [len(sides)]ebpf.ProgramID{}
}

// check drops the programs that are not the same.
func (i *Interfaces) check(all *sharedPrograms, now checked) error {
	spec, err := i.spec()
	if err != nil {
		return err
	}
	maps, err := newProgramMaps(i.Dir, spec)
	if err != nil {
		return err
	}
	right := true
	for s, p := range all {
		if p == nil {
			right = false
			continue
		}
		same, err := sameProgram(p.id, sides[s].program, maps)
		if err != nil {
			return fmt.Errorf("program %s: %w", sides[s].program, err)
		}
		if !same {
			p.Close()
			all[s], right = nil, false
		}
	}
	if right {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.last = now
	}
	return nil
}

// openProgram opens a program by its pin; nil is none.
func openProgram(dir, name string) (*sharedProgram, error) {
	p, err := pinnedProgram(filepath.Join(dir, programPin(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	info, err := p.Info()
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	id, _ := info.ID()
	return &sharedProgram{p, id}, nil
}

// pinsOf names the objects that are pinned, but for the links of interfaces: a pin that was made
// again has another number.
func pinsOf(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	var pins []byte
	for _, e := range entries {
		if _, link := keyOfPin(e.Name()); link {
			continue
		}
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(dir, e.Name()), &st); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return "", fmt.Errorf("%s: %w", e.Name(), err)
		}
		pins = fmt.Appendf(pins, "%s %d\n", e.Name(), st.Ino)
	}
	return string(pins), nil
}

// load loads the programs with the maps that are pinned, and pins them and the maps of their own.
func (i *Interfaces) load(pods *cast) (steps []string, err error) {
	spec, err := i.spec()
	if err != nil {
		return nil, err
	}
	have := make(map[string]*ebpf.Map)
	defer func() {
		for _, m := range have {
			_ = m.Close()
		}
	}()
	err = eachPinned(i.Dir, spec, func(name string, m *ebpf.Map) error { have[name] = m; return nil })
	if err != nil {
		return nil, err
	}
	if have[activeSpec().Name] == nil {
		return nil, fmt.Errorf("in %s: %w", i.Dir, ErrNoImage)
	}
	if legs := have[legsMap]; legs != nil {
		spec.Maps[legsMap].MaxEntries = legs.MaxEntries()
	}
	if err := checkABI(i.Dir); err != nil {
		return nil, err
	}
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: have})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if have[legsMap] == nil {
		n, err := remember(c.Maps[legsMap], pods.has)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			steps = append(steps, fmt.Sprintf("remember %d ends of connections that the kernel tracks", n))
		}
	}
	return steps, i.pinLoaded(c, have)
}

// rememberAll takes the connections that the kernel tracks for accepted.
func (i *Interfaces) rememberAll(pods *cast) error {
	legs, err := ebpf.LoadPinnedMap(filepath.Join(i.Dir, legsMap), nil)
	if err != nil {
		return fmt.Errorf("remembering connections: %w", explain(err))
	}
	defer legs.Close()
	_, err = remember(legs, pods.has)
	return err
}

// pinLoaded pins programs and those of their maps that were not.
func (i *Interfaces) pinLoaded(c *ebpf.Collection, have map[string]*ebpf.Map) error {
	for _, name := range interfaceMaps {
		if have[name] != nil {
			continue
		}
		if err := c.Maps[name].Pin(filepath.Join(i.Dir, name)); err != nil {
			return fmt.Errorf("map %s: %w", name, err)
		}
	}
	for _, s := range sides {
		pin := filepath.Join(i.Dir, programPin(s.program))
		if err := os.Remove(pin); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := c.Programs[s.program].Pin(pin); err != nil {
			return fmt.Errorf("program %s: %w", s.program, err)
		}
	}
	return nil
}
