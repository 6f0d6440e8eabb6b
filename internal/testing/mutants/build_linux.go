package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// listed is the output of go list for a package.
type listed struct {
	ImportPath, Dir, Name string
	GoFiles               []string
}

func list(pattern string) (p listed, err error) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Name,GoFiles", pattern).Output()
	if err != nil {
		return p, fmt.Errorf("go list %s: %w", pattern, err)
	}
	return p, json.Unmarshal(out, &p)
}

// subject is a package with its test binary.
type subject struct {
	listed
	mutants []mutant
	binary  string
}

// mostBuilds is the maximum number of builds; each omits mutants that did not compile.
const mostBuilds = 20

// build compiles a package's tests with all of its mutants, in a directory.
func build(p listed, below string) (*subject, error) {
	skip := make(map[string]map[int]bool)
	for range mostBuilds {
		s := &subject{listed: p, binary: filepath.Join(below, "tests")}
		overlay, err := s.write(below, skip)
		if err != nil {
			return nil, err
		}
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-gcflags=-e", "-overlay", overlay, "-o", s.binary, p.ImportPath)
		out, err := cmd.CombinedOutput()
		if err == nil {
			return s, nil
		}
		if !noteErrors(out, skip) {
			return nil, fmt.Errorf("compiling the tests of %s: %w\n%s", p.ImportPath, err, out)
		}
	}
	return nil, fmt.Errorf("compiling the tests of %s: still errors after %d times", p.ImportPath, mostBuilds)
}

// write writes the changed files and the overlay that names them.
func (s *subject) write(below string, skip map[string]map[int]bool) (overlay string, err error) {
	replace := map[string]string{helperPath(s.Dir): filepath.Join(below, "helper.go")}
	if err := os.WriteFile(replace[helperPath(s.Dir)], fmt.Appendf(nil, helper, s.Name), 0o600); err != nil {
		return "", err
	}
	for _, name := range s.GoFiles {
		path := filepath.Join(s.Dir, name)
		text, err := mutate(path, skip[name], func(line int, what string) int {
			id := len(s.mutants) + 1
			s.mutants = append(s.mutants, mutant{id: id, file: name, line: line, what: what})
			return id
		})
		if err != nil {
			return "", err
		}
		replace[path] = filepath.Join(below, name)
		if err := os.WriteFile(replace[path], text, 0o600); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(below, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

var position = regexp.MustCompile(`(?m)^([^\s:]*\.go):(\d+):`)

// noteErrors records the lines of compile errors, and reports whether any of them
// are new.
func noteErrors(out []byte, skip map[string]map[int]bool) (fresh bool) {
	for _, m := range position.FindAllSubmatch(bytes.TrimSpace(out), -1) {
		name := filepath.Base(string(m[1]))
		line, err := strconv.Atoi(string(m[2]))
		if err != nil || skip[name][line] {
			continue
		}
		if skip[name] == nil {
			skip[name] = make(map[int]bool)
		}
		skip[name][line], fresh = true, true
	}
	return fresh
}
