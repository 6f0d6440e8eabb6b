package live

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/internal/testing/guest"
)

// The test binary is started again as another process for what can only be tried
// in one: dying, and having no capabilities.
const (
	childEnv    = "PLANEC_TEST_CHILD"
	childLoop   = "apply-loop"
	childHeld   = "held-loop"
	childBare   = "no-capabilities"
	childFew    = "few-descriptors"
	childClient = "client"
	childSender = "sender"
	childAttach = "attach"
)

// childDir is the directory of pins in a child: the file system has no mount
// point and is the child's descriptor 3.
const childDir = "/proc/self/fd/3/planec"

func TestMain(m *testing.M) {
	guest.Init()
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case childLoop:
		fmt.Println("failed", applyLoop(os.Args[1:]))
	case childHeld:
		fmt.Println("failed", heldLoop(os.Args[1:]))
	case childBare:
		fmt.Println(applyBare(os.Args[1]))
	case childClient:
		clientMain(os.Args[1:])
	case childSender:
		senderMain(os.Args[1:])
	case childAttach:
		_, err := (&Interfaces{Dir: childDir, CountAll: true}).Attach(context.Background())
		fmt.Println("attached", err)
		time.Sleep(time.Hour) // it is killed
	case childFew:
		fmt.Println("ended", applyFew(os.Args[1], os.Args[2]))
	}
}

// applyLoop applies the images in turn, until it is killed, and says when it
// begins and when it is done.
func applyLoop(files []string) error {
	var images []*image.Image
	for _, name := range files {
		img, err := readImage(name)
		if err != nil {
			return err
		}
		images = append(images, img)
	}
	p := NewPins(childDir)
	for n := 0; ; n++ {
		i := n % len(images)
		fmt.Println("begin", i)
		have, err := p.Observe(context.Background())
		if err != nil {
			return err
		}
		if err := p.Apply(context.Background(), NewPlan(have, images[i])); err != nil {
			return err
		}
		fmt.Println("done", i)
	}
}

// heldLoop is applyLoop with changes of held state: hundreds of Services in each.
func heldLoop(files []string) error {
	var images []*image.Image
	for _, name := range files {
		img, err := readImage(name)
		if err != nil {
			return err
		}
		images = append(images, img)
	}
	p := NewPins(childDir)
	fmt.Println("begin", 0)
	have, err := p.Observe(context.Background())
	if err == nil {
		err = p.Apply(context.Background(), NewPlan(have, images[0]))
	}
	if err != nil {
		return err
	}
	fmt.Println("done", 0)
	held := NewHeld(images[0])
	for n := 1; ; n++ {
		fmt.Println("begin", n%2)
		plan, err := held.Change(images[1-n%2], images[n%2])
		if err == nil {
			err = p.Apply(context.Background(), plan)
		}
		if err != nil {
			return err
		}
		held.Commit(plan)
		fmt.Println("done", n%2)
	}
}

// applyBare applies without any capability.
func applyBare(name string) error {
	img, err := readImage(name)
	if err != nil {
		return err
	}
	runtime.LockOSThread() // capabilities are a thread's
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return err
	}
	return NewPins(childDir).Apply(context.Background(), NewPlan(&State{}, img))
}

func readImage(name string) (*image.Image, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return image.Read(data)
}

func writeImage(t *testing.T, img *image.Image) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), image.ImageFile)
	if err := os.WriteFile(name, img.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// bpffs makes a BPF file system without a mount point: it is gone with its last
// descriptor, however the test ends.
func bpffs(t testing.TB) *os.File {
	t.Helper()
	require(t)
	fs, err := unix.Fsopen("bpf", unix.FSOPEN_CLOEXEC)
	if err != nil {
		t.Fatalf("fsopen: %v", err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigCreate(fs); err != nil {
		t.Fatalf("fsconfig: %v", err)
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("fsmount: %v", err)
	}
	f := os.NewFile(uintptr(mount), "bpffs")
	t.Cleanup(func() { f.Close() })
	return f
}

// pins are those of a file system of the test's own.
func pins(t testing.TB) (*Pins, *os.File) {
	t.Helper()
	f := bpffs(t)
	return NewPins(fmt.Sprintf("/proc/self/fd/%d/planec", f.Fd())), f
}

// lastWords reads what a child said, whole lines only.
func lastWords(r *bufio.Scanner) (lines []string) {
	for r.Scan() {
		lines = append(lines, r.Text())
	}
	return lines
}
