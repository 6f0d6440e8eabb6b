package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
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

// Errors that say what is in the way.
var (
	ErrNoTools    = errors.New("the program is not installed")
	ErrPrivileges = errors.New("CAP_NET_ADMIN is needed")
	ErrLocked     = errors.New("another program holds the lock of iptables")
	ErrForeignSet = errors.New("a set of another type has our name, and rules of others use it")
)

// Detect finds the variant that this node uses: the one that has rules of
// kubelet or of planec already, else that of the command iptables itself, as
// iptables-wrappers of Kubernetes does.
func Detect(ctx context.Context) (*Tools, error) {
	best, most := "", 0
	for _, v := range []string{"nft", "legacy"} {
		t := Tools{Variant: v}
		out, err := t.run(ctx, nil, "iptables-"+v+"-save")
		if err != nil {
			continue
		}
		n := bytes.Count(out, []byte(":KUBE-")) + bytes.Count(out, []byte(":"+chainPrefix))
		if n > most || best == "" {
			best, most = v, n
		}
	}
	if best == "" {
		return nil, fmt.Errorf("iptables-nft-save and iptables-legacy-save: %w", ErrNoTools)
	}
	if most == 0 {
		if out, err := exec.CommandContext(ctx, "iptables", "--version").Output(); err == nil && strings.Contains(string(out), "legacy") {
			best = "legacy"
		}
	}
	return &Tools{Variant: best, LockWait: DefaultLockWait}, nil
}

// DefaultLockWait is how long others may hold the lock.
const DefaultLockWait = 5 * time.Second

// save returns a family's rules; tool is "iptables" or "ip6tables".
func (t *Tools) save(ctx context.Context, tool string) ([]byte, error) {
	return t.run(ctx, nil, tool+"-"+t.Variant+"-save")
}

// restore loads rules and keeps all others.
func (t *Tools) restore(ctx context.Context, tool string, text []byte) error {
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

// run runs a program, which ends with this process: one that went on when an
// agent was killed would change what the next has looked at already.
func (t *Tools) run(ctx context.Context, stdin []byte, name string, args ...string) ([]byte, error) {
	runtime.LockOSThread() // the signal is for the end of the thread
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	return nil, explain(name, err, strings.TrimSpace(stderr.String()))
}

// explain says which of the usual things is in the way.
func explain(name string, err error, text string) error {
	switch {
	case errors.Is(err, exec.ErrNotFound):
		err = ErrNoTools
	case strings.Contains(text, "holding the xtables lock"):
		err = ErrLocked
	case strings.Contains(text, "cannot be destroyed: it is in use"):
		err = ErrForeignSet
	case strings.Contains(text, "ermission denied"), strings.Contains(text, "not permitted"), unix.Geteuid() != 0 && strings.Contains(text, "be root"):
		err = ErrPrivileges
	}
	const most = 500
	if len(text) > most {
		text = text[:most] + "..."
	}
	if text == "" {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fmt.Errorf("%s: %w: %s", name, err, text)
}
