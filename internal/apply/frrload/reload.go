package frrload

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/planec/planec/backends/frr"
	"github.com/planec/planec/ir/diag"
)

// Bounds of the programs that are run.
const (
	// longest is for one run. frr-reload.py takes seconds with some thousand routes.
	longest = 2 * time.Minute
	// mostOutput is how much of an output is kept, in bytes.
	mostOutput = 64 << 20
	// mostLines is how many lines of differences are named, and mostText how much of an error, in
	// bytes.
	mostLines = 5
	mostText  = 400
)

// Left says which lines FRR lacks or has too many, as frr-reload.py --test prints them; none
// if it runs what frr.conf says.
func (f *FRR) Left(ctx context.Context) ([]string, error) {
	out, err := f.reload(ctx, "--test")
	if err != nil {
		return nil, err
	}
	return differences(out), nil
}

// Load makes FRR run what frr.conf says.
func (f *FRR) Load(ctx context.Context) error {
	_, err := f.reload(ctx, "--reload")
	return err
}

// Running is a digest of what FRR runs.
func (f *FRR) Running(ctx context.Context) ([sha256.Size]byte, error) {
	out, err := run(ctx, "vtysh", "--vty_socket", f.Run, "--config_dir", f.Dir, "-c", "show running-config")
	return sha256.Sum256(out), err
}

func (f *FRR) reload(ctx context.Context, how string) ([]byte, error) {
	args := []string{how, "--stdout", "--rundir", f.Run, "--vty_socket", f.Run, "--confdir", f.Dir}
	if vtysh, err := exec.LookPath("vtysh"); err == nil {
		args = append(args, "--bindir", filepath.Dir(vtysh))
	}
	return run(ctx, f.Reload, append(args, f.File())...)
}

// run runs a program and returns its standard output. Of one that fails the error has the end
// of its output, without passwords.
func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	out, said := &bounded{}, &bounded{}
	cmd.Stdout, cmd.Stderr = out, said
	cmd.WaitDelay = 5 * time.Second // for programs that it started
	err := cmd.Run()
	if cmp.Or(out.lost, said.lost) > 0 {
		err = errors.Join(err, fmt.Errorf("it printed more than %d bytes", mostOutput))
	}
	if err == nil {
		return out.Bytes(), nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	text := strings.TrimSpace(hidden(string(bytes.Join([][]byte{out.Bytes(), said.Bytes()}, []byte("\n")))))
	if len(text) > mostText {
		text = "…" + text[len(text)-mostText:]
	}
	return nil, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, diag.Printable(strings.ToValidUTF8(text, "?")))
}

// bounded keeps the first bytes of an output.
type bounded struct {
	bytes.Buffer
	lost int
}

func (b *bounded) Write(p []byte) (int, error) {
	room := min(len(p), mostOutput-b.Len())
	b.Buffer.Write(p[:room])
	b.lost += len(p) - room
	return len(p), nil
}

// password finds the passwords of neighbors.
var password = regexp.MustCompile(`(\bpassword\s+)\S+`)

// hidden is a text without passwords.
func hidden(text string) string { return password.ReplaceAllString(text, "${1}…") }

// differences are the lines that frr-reload.py --test would delete or add, but for the name of
// the host, which FRR always has and which no file says. Other lines are headings and its log.
func differences(out []byte) (lines []string) {
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.Contains(line, "INFO:") || strings.HasPrefix(line, "Lines To") || strings.HasPrefix(line, "===") || strings.HasPrefix(line, "no hostname") {
			continue
		}
		lines = append(lines, hidden(line))
	}
	return lines
}

// ErrLeft says that FRR does not run what it was given.
var ErrLeft = errors.New("FRR does not take all of frr.conf")

// Loaded loads frr.conf and checks that FRR runs it.
func (f *FRR) Loaded(ctx context.Context) error {
	if err := f.Load(ctx); err != nil {
		return f.withoutBGP(err)
	}
	left, err := f.Left(ctx)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		more := ""
		if len(left) > mostLines {
			more = fmt.Sprintf(" and %d more", len(left)-mostLines)
		}
		return f.withoutBGP(fmt.Errorf("%w: %s%s are left", ErrLeft, diag.Printable(strings.Join(left[:min(len(left), mostLines)], "; ")), more))
	}
	return nil
}

// withoutBGP names the usual cause of a refusal, which FRR does not: bgpd is off in Debian's
// /etc/frr/daemons, and the other daemons do not know its lines.
func (f *FRR) withoutBGP(err error) error {
	socket := filepath.Join(f.Run, "bgpd.vty")
	if _, missing := os.Lstat(socket); errors.Is(missing, fs.ErrNotExist) {
		return fmt.Errorf("FRR's bgpd does not run (%s is not there): set bgpd=yes in its file daemons: %w", socket, err)
	}
	return err
}

// ToClean says what Clean would remove, without a change.
func (f *FRR) ToClean() ([]string, error) {
	conf, err := f.Read()
	if errors.Is(err, ErrForeign) || err == nil && len(conf) == 0 {
		return nil, nil
	}
	switch {
	case err != nil:
		return nil, err
	case f.Reload != "":
		return []string{"configuration of FRR " + f.File()}, nil
	case string(conf) == frr.Nothing:
		return nil, nil
	}
	return []string{"what FRR announces, from " + f.File()}, nil
}

// Clean has FRR run nothing of planec's and removes frr.conf; it returns what was removed. One
// that another program wrote meanwhile stays. Where another program loads the file, it stays too,
// and says nothing: if it were gone, FRR would go on announcing. Where FRR runs and does not take
// the file, that is an error, and the file stays, too.
func (f *FRR) Clean(ctx context.Context) ([]string, error) {
	removed, err := f.ToClean()
	if err != nil || len(removed) == 0 {
		return nil, err
	}
	if err := f.Write([]byte(frr.Nothing)); err != nil {
		return nil, err
	}
	if f.Reload == "" {
		return removed, nil
	}
	if err := f.Load(ctx); err != nil {
		// Where FRR runs, the file stays, so that cleaning again tries again.
		if _, silent := f.Running(ctx); silent == nil || ctx.Err() != nil {
			return nil, fmt.Errorf("FRR may go on announcing, clean again: %w", err)
		}
		return nil, fmt.Errorf("what FRR announces stays until it is restarted: %w", errors.Join(err, os.Remove(f.File())))
	}
	if err := os.Remove(f.File()); err != nil {
		return nil, fmt.Errorf("removing frr.conf: %w", err)
	}
	return removed, nil
}
