package programs

import (
	"fmt"
	"os/exec"
	"strings"
)

// stamp tells Kubernetes' programs their version, as its own build does: clients
// look at what an API server says of itself.
func stamp(module string) (linker string, err error) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes")
	cmd.Dir = module
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%v: %w", cmd, err)
	}
	version := strings.TrimSpace(string(out))
	const at = "-X k8s.io/component-base/version."
	parts := strings.Split(strings.TrimPrefix(version, "v"), ".")
	if len(parts) < 3 {
		return "", fmt.Errorf("version of k8s.io/kubernetes: %q", version)
	}
	return at + "gitVersion=" + version + " " + at + "gitMajor=" + parts[0] + " " + at + "gitMinor=" + parts[1], nil
}

// build makes a program without symbols, which spares time to link. All else is
// as the go command does it by default, so that the packages which the tests
// import too are compiled once for both.
func build(dir, pkg, out, linker string) error {
	cmd := exec.Command("go", "build", "-ldflags=-s -w "+linker, "-o", out, pkg)
	cmd.Dir = dir
	if printed, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, printed)
	}
	return nil
}
