package cli_test

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// action is the composite action of this repository.
type action struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	ID, Name, Uses, Shell, Run, If string
	Env                            map[string]string
}

// job runs the action's steps as GitHub's runner would, in a checkout.
type job struct {
	t        *testing.T
	checkout string
	// values are what expressions mean.
	values map[string]string
	// env is that of all steps.
	env []string
	// said is what the steps printed.
	said bytes.Buffer
	code int
}

// expression is what stands between ${{ and }}.
var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// expand replaces expressions: names, and alternatives of them.
func (j *job) expand(text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string {
		for name := range strings.SplitSeq(expression.FindStringSubmatch(e)[1], "||") {
			value, known := j.values[strings.TrimSpace(name)]
			if !known {
				j.t.Errorf("%s: the test does not know %s", e, name)
			}
			if value != "" {
				return value
			}
		}
		return ""
	})
}

// wanted reports whether a step's condition holds.
func (j *job) wanted(s *actionStep) bool {
	switch s.If {
	case "":
		return true
	case "inputs.comment == 'true' && github.event_name == 'pull_request'":
		return j.values["inputs.comment"] == "true" && j.values["github.event_name"] == "pull_request"
	}
	j.t.Errorf("the test does not know the condition %q", s.If)
	return false
}

// run runs the steps until one fails.
func (j *job) run(a *action) {
	for i := range a.Runs.Steps {
		s := &a.Runs.Steps[i]
		if s.Uses != "" || strings.HasPrefix(s.Run, "CGO_ENABLED=0 go build") || !j.wanted(s) {
			continue // the program is built already
		}
		if s.Shell != "bash" {
			j.t.Fatalf("step %q: shell %q", s.Name, s.Shell)
		}
		script := filepath.Join(j.t.TempDir(), "step.sh")
		outputs := filepath.Join(j.t.TempDir(), "outputs")
		for file, text := range map[string]string{script: j.expand(s.Run), outputs: ""} {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				j.t.Fatal(err)
			}
		}
		cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", script)
		cmd.Dir, cmd.Stdout, cmd.Stderr = j.checkout, &j.said, &j.said
		cmd.Env = append(os.Environ(), append(j.env, "GITHUB_OUTPUT="+outputs)...)
		for name, value := range s.Env {
			cmd.Env = append(cmd.Env, name+"="+j.expand(value))
		}
		_ = cmd.Run() // the exit code says it
		j.outputs(s.ID, outputs)
		if j.code = cmd.ProcessState.ExitCode(); j.code != 0 {
			return
		}
	}
}

// outputs makes what a step has set known to those after it.
func (j *job) outputs(step, file string) {
	f, err := os.Open(file)
	if err != nil {
		j.t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "=")
		j.values["steps."+step+".outputs."+name] = value
	}
}

// repository is one that a pull request is made in.
type repository struct {
	t   *testing.T
	dir string
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+r.t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit makes the working tree what the files say, and commits it.
func (r *repository) commit(files map[string]string) string {
	r.t.Helper()
	if entries, err := filepath.Glob(filepath.Join(r.dir, "[^.]*")); err == nil {
		for _, e := range entries {
			if err := os.RemoveAll(e); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	for name, text := range files {
		at := filepath.Join(r.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", "x")
	return r.git("rev-parse", "HEAD")
}

// The manifests of the pull requests.
const (
	actionReadme = "a repository\n"
	actionPods   = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: db, namespace: shop}\nspec:\n  selector: {matchLabels: {app: db}}\n  template:\n    metadata: {labels: {app: db}}\n    spec: {containers: [{name: db, image: db}]}\n"
	actionPolicy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: closed, namespace: shop}\nspec: {podSelector: {}}\n"
)

// TestAction runs the steps of action.yml on pull requests, in clones as CI has them.
func TestAction(t *testing.T) {
	for _, program := range []string{"git", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	nested := map[string]string{"README.md": actionReadme, "m/shop/pods.yaml": actionPods, "m/shop/net/policy.yaml": actionPolicy}
	for _, c := range []struct {
		name        string
		base, head  map[string]string
		clone       []string
		event, fail string
		inputs      map[string]string
		code        int
		said        string
		commented   bool
	}{
		{name: "nothing changes", base: nested, head: nested, said: "", commented: true},
		{name: "a policy of a nested directory goes", base: nested, head: without(nested, "m/shop/net/policy.yaml"), code: 1, said: "::warning file=m/shop", commented: true},
		{name: "a directory is new", base: map[string]string{"README.md": actionReadme}, head: nested, commented: true},
		// Pods of the namespace that other manifests make are not closed any more.
		{name: "a directory is deleted", base: nested, head: map[string]string{"README.md": actionReadme}, code: 1, said: "Pods of shop (the input has none) can now be reached", commented: true},
		{name: "a base that a shallow clone lacks", base: nested, head: without(nested, "m/shop/net/policy.yaml"), clone: []string{"--depth=1"}, code: 1, said: "::warning", commented: true},
		{name: "a base whose files a partial clone lacks", base: nested, head: without(nested, "m/shop/net/policy.yaml"), clone: []string{"--filter=blob:none"}, code: 1, said: "::warning", commented: true},
		{name: "a fork, whose token may not write", base: nested, head: nested, fail: "1", said: "::notice title=planec diff::the report was not posted"},
		{name: "a push", base: nested, head: nested, event: "push"},
		{name: "no comment", base: nested, head: nested, inputs: map[string]string{"comment": "false"}},
		{name: "nothing fails", base: nested, head: without(nested, "m/shop/net/policy.yaml"), inputs: map[string]string{"fail-on": ""}, said: "::warning", commented: true},
		{name: "a file that cannot be read", base: nested, head: with(nested, "m/shop/net/policy.yaml", "kind: [\n"), code: 2},
		{name: "a path that is nowhere", base: nested, head: nested, inputs: map[string]string{"path": "manifest"}, code: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			origin := repository{t, t.TempDir()}
			origin.git("init", "-q", "-b", "main")
			origin.git("config", "uploadpack.allowFilter", "true")
			origin.git("config", "uploadpack.allowAnySHA1InWant", "true")
			base := origin.commit(c.base)
			origin.commit(c.head)
			checkout := filepath.Join(t.TempDir(), "checkout")
			origin.git(append(append([]string{"clone", "-q"}, c.clone...), "file://"+origin.dir, checkout)...)
			j, comment := newJob(t, checkout, c.fail)
			event := cmp.Or(c.event, "pull_request")
			a := readAction(t, j)
			j.values["inputs.path"], j.values["inputs.args"] = "m", "--synth"
			for name, value := range c.inputs {
				j.values["inputs."+name] = value
			}
			j.values["github.event_name"] = event
			if event == "push" {
				j.values["github.event.before"] = base
			} else {
				j.values["github.event.pull_request.base.sha"] = base
			}
			j.run(a)
			if j.code != c.code || !strings.Contains(j.said.String(), c.said) {
				t.Errorf("exit code %d, want %d with %q:\n%s", j.code, c.code, c.said, &j.said)
			}
			if _, err := os.Stat(comment); (err == nil) != c.commented {
				t.Errorf("commented: %v:\n%s", err == nil, &j.said)
			}
		})
	}
}

// newJob makes a job in a checkout. Comment is the file that a comment is written to.
func newJob(t *testing.T, checkout, fail string) (j *job, comment string) {
	temp, bin := t.TempDir(), t.TempDir()
	planec, err := exec.LookPath("planec")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(planec, filepath.Join(temp, "planec")); err != nil {
		t.Fatal(err)
	}
	comment = filepath.Join(temp, "comment")
	gh := "#!/bin/sh\n[ -z \"" + fail + "\" ] || exit 1\nfor a; do f=$a; done\ncp \"$f\" " + comment + "\n"
	if err := os.WriteFile(filepath.Join(bin, "gh"), []byte(gh), 0o700); err != nil {
		t.Fatal(err)
	}
	j = &job{t: t, checkout: checkout, values: make(map[string]string)}
	j.env = []string{"RUNNER_TEMP=" + temp, "GITHUB_STEP_SUMMARY=" + filepath.Join(temp, "summary"), "PATH=" + bin + ":" + os.Getenv("PATH")}
	for _, name := range []string{
		"github.token", "github.event.pull_request.number", "github.event.pull_request.base.sha", "github.event.merge_group.base_sha", "github.event.before",
	} {
		j.values[name] = ""
	}
	return j, comment
}

// readAction reads action.yml, and gives inputs their defaults.
func readAction(t *testing.T, j *job) *action {
	text, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil || a.Runs.Using != "composite" {
		t.Fatal(fmt.Errorf("action.yml: %w", err))
	}
	for name, in := range a.Inputs {
		j.values["inputs."+name] = in.Default
	}
	return &a
}

func without(files map[string]string, name string) map[string]string {
	out := with(files, name, "")
	delete(out, name)
	return out
}

func with(files map[string]string, name, text string) map[string]string {
	out := map[string]string{name: text}
	for n, t := range files {
		if n != name {
			out[n] = t
		}
	}
	return out
}
