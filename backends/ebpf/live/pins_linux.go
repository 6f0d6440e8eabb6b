package live

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	image "github.com/planec/planec/backends/ebpf"
)

// DefaultDir is the directory of the pinned maps on a node, and DefaultLockWait
// the default of Pins.LockWait.
const (
	DefaultDir      = "/sys/fs/bpf/planec"
	DefaultLockWait = 5 * time.Second
)

// Pins is a directory of a BPF file system that keeps the maps alive while no
// planec process runs. It is safe for concurrent use, also by several processes.
type Pins struct {
	Dir      string        // the directory, which is created when needed
	LockWait time.Duration // how long an apply waits for the lock; 0 means not at all

	mu sync.Mutex
	// session has the maps open between changes from held state; nil if there was none.
	session *session
	// loaded is what the last apply loaded and read back, for the comparison that follows it.
	loaded *loaded
}

// NewPins returns Pins for a directory, which is created when needed.
func NewPins(dir string) *Pins { return &Pins{Dir: dir, LockWait: DefaultLockWait} }

// Observe reads the active image without a change. It believes nothing that was read before.
func (p *Pins) Observe(ctx context.Context) (*State, error) { return p.ObserveFor(ctx, nil) }

// ObserveFor is Observe for a comparison with an image, which is cheaper where the maps have
// just that: the state's image is want then, with its symbols. want may be nil. Right after an apply
// that has read the image back, it reads only which maps are active, and that no transaction of
// Services was made since.
func (p *Pins) ObserveFor(ctx context.Context, want *image.Image) (*State, error) {
	s, err := p.observe(ctx, want)
	if err != nil {
		return nil, fmt.Errorf("reading the eBPF maps in %s: %w", p.Dir, err)
	}
	return s, nil
}

// Apply carries out a plan: when it returns nil, the image is active and was read
// back. When it fails before the flip, what was active is. A plan of [Held] that fails with
// [ErrDrift] has changed nothing.
func (p *Pins) Apply(ctx context.Context, plan *Plan) error {
	if plan.Empty() {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loaded = nil
	if plan.held {
		return p.applyHeld(ctx, plan)
	}
	if err := p.drop(); err != nil {
		return err
	}
	if err := makeDir(p.Dir); err != nil {
		return fmt.Errorf("making %s: %w", p.Dir, err)
	}
	unlock, err := p.lock(ctx, unix.LOCK_EX)
	if err != nil {
		return fmt.Errorf("locking %s: %w", p.Dir, err)
	}
	defer unlock()
	d, err := Open(p.Dir)
	if err != nil {
		return err
	}
	if err = d.Load(plan.want); err == nil {
		p.loaded, err = d.loaded(plan.want)
	}
	return errors.Join(err, d.Close())
}

// Clean removes planec's pins and the directory, and returns the names of what it
// removed. Maps that programs use live as long as these programs.
func (p *Pins) Clean(ctx context.Context) (removed []string, err error) {
	if _, err := os.Stat(p.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err := checkFS(p.Dir); errors.Is(err, ErrNoBPFFS) {
		return nil, nil // so no map can exist
	} else if err != nil {
		return nil, fmt.Errorf("removing the eBPF maps: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.drop(); err != nil {
		return nil, err
	}
	unlock, err := p.lock(ctx, unix.LOCK_EX)
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", p.Dir, err)
	}
	defer unlock()
	var errs []error
	for _, spec := range append(pinnedSpecs(), formerSpecs()...) {
		if err := removePin(spec, p.Dir); err == nil {
			removed = append(removed, "remove map "+spec.Name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("removing map %s: %w", spec.Name, err))
		}
	}
	// The directory stays if it contains foreign files.
	if err := os.Remove(p.Dir); err != nil && !errors.Is(err, unix.ENOTEMPTY) {
		errs = append(errs, fmt.Errorf("removing %s: %w", p.Dir, err))
	}
	return removed, errors.Join(errs...)
}

// Left returns what Clean would remove, without a change.
func (p *Pins) Left() ([]string, error) {
	var steps []string
	for _, spec := range append(pinnedSpecs(), formerSpecs()...) {
		_, err := os.Lstat(filepath.Join(p.Dir, spec.Name))
		if err == nil {
			steps = append(steps, "remove map "+spec.Name)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("looking for the eBPF maps: %w", err)
		}
	}
	if len(steps) == 0 {
		return nil, nil
	}
	if err := checkFS(p.Dir); errors.Is(err, ErrNoBPFFS) {
		return nil, nil // these are not maps
	} else if err != nil {
		return nil, fmt.Errorf("looking for the eBPF maps: %w", err)
	}
	return steps, nil
}

// lock takes the lock in mode LOCK_SH or LOCK_EX of flock(2) and waits for other
// processes. The kernel releases the lock of a process that dies.
func (p *Pins) lock(ctx context.Context, mode int) (unlock func(), err error) {
	dir, err := os.Open(p.Dir)
	if err != nil {
		return nil, err
	}
	const pause = 5 * time.Millisecond
	for deadline := time.Now().Add(p.LockWait); ; {
		err := unix.Flock(int(dir.Fd()), mode|unix.LOCK_NB)
		switch {
		case err == nil:
			return func() { dir.Close() }, nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			dir.Close()
			return nil, err
		case ctx.Err() != nil, time.Now().After(deadline):
			dir.Close()
			return nil, errors.Join(ErrLocked, ctx.Err())
		}
		time.Sleep(pause)
	}
}

// pinned opens a pinned map of planec. Any other object there is [ErrForeign].
func pinned(spec *ebpf.MapSpec, dir string, opts *ebpf.LoadPinOptions) (*ebpf.Map, error) {
	path := filepath.Join(dir, spec.Name)
	at, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !at.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no pin", ErrForeign, path)
	}
	m, err := ebpf.LoadPinnedMap(path, opts)
	if err != nil {
		if errno := unix.Errno(0); errors.As(err, &errno) {
			return nil, explain(err)
		}
		return nil, fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if err := ours(spec, m); lacks(err) {
		return nil, errors.Join(explain(err), m.Close())
	} else if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", ErrForeign, path, err), m.Close())
	}
	return m, nil
}

func ours(spec *ebpf.MapSpec, m *ebpf.Map) error {
	if err := spec.Compatible(m); err != nil {
		return err
	}
	info, err := m.Info()
	if err == nil && info.Name != spec.Name {
		err = fmt.Errorf("the map is called %q", info.Name)
	}
	return err
}

// makeDir creates a directory of a BPF file system.
func makeDir(dir string) error {
	if err := checkFS(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

// checkFS checks that the directory, or its future parent, is in a BPF file
// system.
func checkFS(dir string) error {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		var fs unix.Statfs_t
		err := unix.Statfs(at, &fs)
		switch {
		case errors.Is(err, unix.ENOENT) && at != filepath.Dir(at):
			continue
		case err != nil:
			return fmt.Errorf("%s: %w", at, err)
		case fs.Type != unix.BPF_FS_MAGIC:
			return fmt.Errorf("%s: %w", at, ErrNoBPFFS)
		}
		return nil
	}
}
