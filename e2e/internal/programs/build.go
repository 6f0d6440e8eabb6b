package programs

import (
	"fmt"
	"os/exec"
	"strings"
)

// stamp sets the version of Kubernetes' programs, as its own build does: clients
// depend on the version that an API server reports.
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

// build makes a program without symbols, which saves linking time. Everything
// else is the go command's default, so that packages which the tests also
// import are compiled once for both.
func build(dir, pkg, out, linker string) error {
	cmd := exec.Command("go", "build", "-ldflags=-s -w "+linker, "-o", out, pkg)
	cmd.Dir = dir
	if printed, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, printed)
	}
	return nil
}
