package live

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Tools runs the programs of one variant of iptables, in the network namespace
// of the calling thread.
type Tools struct {
	// Variant is "legacy" or "nft".
	Variant string
	// LockWait is how long to wait for the lock of iptables-legacy.
	LockWait time.Duration
}

// Errors for the usual causes of a failure.
var (
	ErrNoTools    = errors.New("the program is not installed")
	ErrPrivileges = errors.New("CAP_NET_ADMIN is needed")
	ErrLocked     = errors.New("another program holds the lock of iptables")
	ErrForeignSet = errors.New("a set of another type has the name of a set of planec, and foreign rules use it")
	ErrMeanwhile  = errors.New("another process changed the rules or sets meanwhile")
	ErrNoKernel   = errors.New("the kernel does not have what this program needs")
)

// DefaultLockWait is the default for Tools.LockWait.
const DefaultLockWait = 5 * time.Second

// Save returns all rules of a family, including foreign ones; tool is "iptables"
// or "ip6tables".
func (t *Tools) Save(ctx context.Context, tool string) ([]byte, error) {
	return t.ask(ctx, t.saving(tool))
}

// SetNames returns the names of all ipsets.
func (t *Tools) SetNames(ctx context.Context) ([]byte, error) {
	return t.ask(ctx, question{"ipset", "list", "-n"})
}

// saving returns the command that prints the rules of a family.
func (t *Tools) saving(tool string) question { return question{tool + "-" + t.Variant + "-save"} }

// asks is the number of attempts for a question that fails temporarily, and
// askPause the pause between them.
const (
	asks     = 4
	askPause = 50 * time.Millisecond
)

// question is a read-only program with its arguments.
type question []string

// ask runs a read-only program, and retries temporary failures.
func (t *Tools) ask(ctx context.Context, q question) ([]byte, error) {
	runtime.LockOSThread() // as in run
	defer runtime.UnlockOSThread()
	return t.answer(ctx, q, t.start(ctx, nil, q[0], q[1:]...))
}

// askAll runs read-only programs in parallel: each of them reads all rules of its
// kind, and they do not depend on each other.
func (t *Tools) askAll(ctx context.Context, questions []question) ([][]byte, error) {
	runtime.LockOSThread() // as in run
	defer runtime.UnlockOSThread()
	running := make([]*running, len(questions))
	for i, q := range questions {
		running[i] = t.start(ctx, nil, q[0], q[1:]...)
	}
	answers := make([][]byte, len(questions))
	errs := make([]error, len(questions))
	for i, q := range questions {
		answers[i], errs[i] = t.answer(ctx, q, running[i])
	}
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	return answers, nil
}

// answer waits for a read-only program, and runs it again after a temporary
// failure.
func (t *Tools) answer(ctx context.Context, q question, r *running) ([]byte, error) {
	for n := 0; ; n++ {
		out, err := r.wait()
		if err == nil || n+1 == asks || ctx.Err() != nil ||
			errors.Is(err, ErrNoTools) || errors.Is(err, ErrPrivileges) || errors.Is(err, ErrNoKernel) {
			return out, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(askPause << n):
		}
		r = t.start(ctx, nil, q[0], q[1:]...)
	}
}

// Restore loads text with iptables-restore, in one transaction per table. It does
// not change what the text does not name.
func (t *Tools) Restore(ctx context.Context, tool string, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	args := []string{"--noflush"}
	if t.Variant == "legacy" && t.LockWait > 0 {
		args = append(args, "-w", strconv.Itoa(int(max(t.LockWait/time.Second, 1))))
	}
	_, err := t.run(ctx, text, tool+"-"+t.Variant+"-restore", args...)
	return err
}

func (t *Tools) ipset(ctx context.Context, commands []byte, args ...string) ([]byte, error) {
	return t.run(ctx, commands, "ipset", args...)
}

// run runs a program, which is killed when this process ends: otherwise it could
// change what the next agent has already read. The program has its own process group,
// so that Ctrl-C reaches only planec, which completes a change that it has begun.
func (t *Tools) run(ctx context.Context, stdin []byte, name string, args ...string) ([]byte, error) {
	runtime.LockOSThread() // the signal is for the end of the thread that started it
	defer runtime.UnlockOSThread()
	return t.start(ctx, stdin, name, args...).wait()
}

// running is a program that has been started, or that failed to start.
type running struct {
	name        string
	cmd         *exec.Cmd
	out, stderr bytes.Buffer
	err         error
}

// start starts a program. The calling goroutine must keep its thread until the program ends.
func (t *Tools) start(ctx context.Context, stdin []byte, name string, args ...string) *running {
	r := &running{name: name, cmd: exec.CommandContext(ctx, program(name), args...)}
	r.cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL, Setpgid: true}
	r.cmd.Stdin = bytes.NewReader(stdin)
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.stderr
	r.err = r.cmd.Start()
	return r
}

// wait waits for the end and returns the output.
func (r *running) wait() ([]byte, error) {
	if r.err == nil {
		r.err = r.cmd.Wait()
	}
	if r.err == nil {
		return r.out.Bytes(), nil
	}
	return nil, explain(r.name, r.err, strings.TrimSpace(r.stderr.String()))
}

// systemDirs are often missing in the PATH of unprivileged users. Without them,
// such a user would see a missing program instead of the missing privilege.
var systemDirs = []string{"/usr/local/sbin", "/usr/sbin", "/sbin"}

// program returns the path of a program, or its name if it is not found.
func program(name string) string {
	if _, err := exec.LookPath(name); err == nil {
		return name
	}
	for _, dir := range systemDirs {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	return name
}

// meanwhileWords are messages of ipset and iptables about objects that another
// process has added or removed, and messages about temporary failures of the kernel.
var meanwhileWords = []string{
	"it's not added", "it's already added", "set with the same name already exists", "set with the given name does not exist",
	"cannot be swapped", "in use by a kernel component", "No chain/target/match by that name", "Chain already exists",
	"Resource temporarily unavailable", "Cannot allocate memory", "Interrupted system call", "No buffer space available",
	"Message too long", "Device or resource busy", "Resource busy",
}

// noKernelWords are messages about a variant that the kernel lacks.
var noKernelWords = []string{"Protocol not supported", "Operation not supported", "Function not implemented", "do you need to insmod"}

func containsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// withoutProgram removes the program's name and version from the beginning of its
// message.
func withoutProgram(text string) string {
	head, rest, found := strings.Cut(text, ": ")
	name, version, isOne := strings.Cut(head, " v")
	if found && isOne && strings.HasPrefix(name, "ip") && !strings.ContainsAny(name, " \n") && strings.HasPrefix(strings.TrimLeft(version, "0123456789"), ".") {
		return rest
	}
	return text
}

// explain maps the usual causes of a failure to errors of this package.
func explain(name string, err error, text string) error {
	switch {
	case errors.Is(err, exec.ErrNotFound):
		err = ErrNoTools
	case strings.Contains(text, "holding the xtables lock"):
		err = ErrLocked
	case strings.Contains(text, "cannot be destroyed: it is in use"):
		err = ErrForeignSet
	case containsAny(text, meanwhileWords), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOMEM), errors.Is(err, unix.ETXTBSY):
		err = fmt.Errorf("%w: %w", ErrMeanwhile, err)
	case strings.HasSuffix(name, "-save") && containsAny(text, noKernelWords), name == "ipset" && strings.Contains(text, "Cannot open session to kernel"):
		err = ErrNoKernel
	case strings.Contains(text, "ermission denied"), strings.Contains(text, "not permitted"), unix.Geteuid() != 0 && strings.Contains(text, "be root"):
		return fmt.Errorf("%s: %w", name, ErrPrivileges) // its own words are "must be root"
	}
	text = withoutProgram(text)
	const most = 500
	if len(text) > most {
		text = text[:most] + "..."
	}
	if text == "" {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s: %w: %s", name, err, text)
}
