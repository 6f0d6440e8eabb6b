package live

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

func sysctlPath(name string) string { return "/proc/sys/" + strings.ReplaceAll(name, ".", "/") }

// readSysctls reads the sysctls that exist.
func readSysctls() (map[string]string, error) {
	out := make(map[string]string)
	for _, name := range sysctlNames {
		b, err := os.ReadFile(sysctlPath(name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("sysctl %s: %w", name, explain(err))
		}
		out[name] = strings.TrimSpace(string(b))
	}
	return out, nil
}

// writeSysctl writes a sysctl, which must exist.
func writeSysctl(s setting) error {
	f, err := os.OpenFile(sysctlPath(s.name), os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("sysctl %s: %w: it comes with %s", s.name, ErrNoSysctl, sysctlFeature(s.name))
	}
	if err == nil {
		_, err = f.WriteString(s.to)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("sysctl %s = %s: %w", s.name, s.to, explain(err))
	}
	return nil
}
