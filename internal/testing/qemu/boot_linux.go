package qemu

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/planec/planec/internal/testing/guest"
)

// outTag is the tag of the 9p device with the shared directory.
const outTag = "planecout"

// Boot implements [guest.Machine].
func (m machine) Boot(ctx context.Context, dir, binary string, c guest.Config) (string, error) {
	initrd := filepath.Join(dir, "initrd")
	files, err := writeInitrd(initrd, binary, m.modules)
	if err != nil {
		return "", fmt.Errorf("the initial file system: %w", err)
	}
	memory := c.Memory
	if memory == 0 {
		memory = guest.DefaultMemory
	}
	share := guest.Share{Out: outTag, NineP: true, Modules: files}
	words := append([]string{"console=ttyS0", "quiet", "panic=-1", "mitigations=off", "rdinit=/init"}, share.CommandLine()...)
	out := &bytes.Buffer{}
	// The processor is QEMU's own in any case: what hosts offer differs, and some hang.
	cmd := exec.CommandContext(ctx, m.program,
		"-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", fmt.Sprint(memory),
		"-nodefaults", "-no-user-config", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-nic", "none",
		"-kernel", m.image, "-initrd", initrd, "-append", strings.Join(words, " "),
		"-virtfs", "local,path=/,mount_tag="+guest.RootTag+",security_model=none,readonly=on,multidevs=remap",
		"-virtfs", "local,path="+guest.OutBelow(dir)+",mount_tag="+outTag+",security_model=none",
	)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = 5 * time.Second
	// It ends with this process, however that ends. The kernel means the thread that starts it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	return out.String(), err
}
