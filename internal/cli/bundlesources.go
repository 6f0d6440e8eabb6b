//go:build !js

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/agent/api"
	"github.com/planec/planec/internal/base/buildinfo"
)

const (
	// bundlePatience is how long one source may take, mostOfFile how many bytes of it are kept.
	bundlePatience = 30 * time.Second
	mostOfFile     = 16 << 20
)

// source collects files that belong together.
type source func(context.Context) []collected

// sources are what a bundle has, in the order of the archive.
func (c *bundleCommand) sources() []source {
	out := []source{
		oneFile("version.txt", "versions of planec, the kernel and the system", versionText),
		c.itself("status.json", "what planec status says", "status", "-o", "json"),
		c.itself("verify.txt", "what of the kernel differs from what should be there", "verify"),
		c.agent("agent/config.json", "the agent's configuration", api.ConfigPath),
		c.agent("agent/metrics.txt", "the agent's metrics", api.MetricsPath),
		c.agent("agent/healthz.txt", "what /healthz answers", api.HealthPath),
		c.rules,
	}
	for _, backend := range registry.Names() {
		out = append(out, c.itself("kernel/"+backend+".txt", "what the kernel serves by "+backend, "show", "--backend", backend))
	}
	out = append(out,
		oneFile("kernel/nft.txt", "planec's tables of nftables", program("nft", "-a", "list", "table", "ip", "planec"), program("nft", "-a", "list", "table", "ip6", "planec")),
		oneFile("kernel/tables.txt", "the names of all tables of nftables", program("nft", "list", "tables")),
		oneFile("kernel/settings.txt", "sysctls about forwarding and connection tracking", settingsText),
		oneFile("kernel/modules.txt", "modules of netfilter that are loaded", modulesText),
	)
	return append(out, c.log())
}

// oneFile makes a source of texts that follow one another in a file.
func oneFile(name, about string, texts ...func(context.Context) ([]byte, error)) source {
	return func(ctx context.Context) []collected {
		f := collected{name: name, about: about}
		for _, text := range texts {
			data, err := text(ctx)
			f.data = append(f.data, data...)
			if err != nil && f.missing == "" {
				f.missing = err.Error()
			}
		}
		return []collected{f.bounded()}
	}
}

// bounded cuts off the beginning of what is too long: the end of a log says more.
func (f collected) bounded() collected {
	if len(f.data) > mostOfFile {
		f.data, f.missing = f.data[len(f.data)-mostOfFile:], fmt.Sprintf("the beginning: the file is larger than %d MiB", mostOfFile>>20)
	}
	return f
}

// itself runs another command of planec.
func (c *bundleCommand) itself(name, about string, args ...string) source {
	return oneFile(name, about, func(context.Context) ([]byte, error) {
		var out bytes.Buffer
		code := Run(append(args, "--state-dir", c.stateDir), Streams{In: strings.NewReader(""), Out: &out, Err: &out})
		fmt.Fprintf(&out, "exit code %d\n", code)
		return out.Bytes(), nil
	})
}

// agent asks the agent of this node.
func (c *bundleCommand) agent(name, about, path string) source {
	return oneFile(name, about, func(ctx context.Context) ([]byte, error) {
		client, _ := agentOf(c.stateDir)
		text, err := client.Text(ctx, path, mostOfFile)
		if err != nil && !errors.Is(err, api.ErrNoAgent) {
			return []byte(err.Error() + "\n"), nil // an answer too: unhealthy, and why
		}
		return text, err
	})
}

// rules are the files that the agent wants in the kernel, or else those that were applied last.
func (c *bundleCommand) rules(ctx context.Context) (out []collected) {
	const about = "a file of the rules that the kernel should have"
	client, _ := agentOf(c.stateDir)
	serving, err := client.Serving(ctx)
	if errors.Is(err, api.ErrNoAgent) {
		last, lastErr := newApplier(c.stateDir, "").Last()
		serving.Backend, serving.Artifact, err = last.Backend, last.Artifact, lastErr
	}
	if err != nil {
		return []collected{{name: "rules/", about: about, missing: err.Error()}}
	}
	for _, f := range serving.Artifact.Files {
		out = append(out, collected{name: path.Join("rules", serving.Backend, path.Base(f.Name)), about: about, data: slices.Clone(f.Data)}.bounded())
	}
	return out
}

func versionText(context.Context) ([]byte, error) {
	text := buildinfo.Line("planec") + "kernel " + buildinfo.KernelRelease() + "\n"
	release, err := readBounded("/etc/os-release")
	return append([]byte(text), release...), err
}

// program runs a program that prints something.
func program(name string, args ...string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) {
		var stderr bytes.Buffer
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			err = fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(stderr.Bytes()))
		}
		return out, err
	}
}

// settings are the sysctls that decide about what planec does.
var bundleSettings = []string{
	"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/rp_filter", "net/ipv4/conf/all/route_localnet",
	"net/bridge/bridge-nf-call-iptables", "net/netfilter/nf_conntrack_max", "net/netfilter/nf_conntrack_count", "net/netfilter/nf_conntrack_tcp_be_liberal",
	"net/netfilter/nf_conntrack_tcp_timeout_established", "net/netfilter/nf_conntrack_udp_timeout", "net/ipv4/vs/conntrack", "kernel/unprivileged_bpf_disabled",
}

func settingsText(context.Context) ([]byte, error) {
	var b bytes.Buffer
	for _, name := range bundleSettings {
		value, err := readBounded("/proc/sys/" + name)
		if err != nil {
			value = []byte(err.Error())
		}
		fmt.Fprintf(&b, "%s = %s\n", strings.ReplaceAll(name, "/", "."), bytes.TrimSpace(value))
	}
	return b.Bytes(), nil
}

func modulesText(context.Context) ([]byte, error) {
	text, err := readBounded("/proc/modules")
	var b bytes.Buffer
	for line := range bytes.Lines(text) {
		for _, prefix := range []string{"nf_", "nft_", "nfnetlink", "xt_", "ip_", "ip6", "iptable", "br_netfilter"} {
			if bytes.HasPrefix(line, []byte(prefix)) {
				b.Write(line)
				break
			}
		}
	}
	return b.Bytes(), err
}

// readBounded reads a file that is no link, up to the size that is kept.
func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	return io.ReadAll(io.LimitReader(f, mostOfFile+1))
}

// log is the end of the agent's log.
func (c *bundleCommand) log() source {
	const about = "the end of the agent's log"
	if len(c.logs) == 0 {
		return oneFile("log.txt", about, program("journalctl", "--no-pager", "-u", "planec-agent", "-n", "5000"))
	}
	return func(context.Context) (out []collected) {
		for i, name := range c.logs {
			f := collected{name: fmt.Sprintf("log-%d.txt", i+1), about: about}
			data, err := tail(name, mostOfFile)
			if f.data = data; err != nil {
				f.missing = err.Error()
			}
			out = append(out, f)
		}
		return out
	}
}

// tail reads the end of a regular file.
func tail(name string, most int64) ([]byte, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read
	return io.ReadAll(io.NewSectionReader(f, max(info.Size()-most, 0), most))
}

// secrets are what looks like a credential, with what is written in its place: headers to the
// end of the line or the quote, names of keys and flags with their values, the users of URLs,
// tokens by their form, and private keys.
var secrets = []struct {
	form *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*-----END [A-Z ]*PRIVATE KEY-----`), "REDACTED"},
	{regexp.MustCompile(`(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)("?\s*[:=]\s*"?)[^"\n]+`), "${1}${2}REDACTED"},
	{regexp.MustCompile(`(?i)([\w.-]*(?:pass(?:word|wd|phrase)?|pwd|token|secret|credentials?|api[-_]?key|access[-_]?key|client-key-data|private[-_]?key)[\w.-]*)("?\s*[:=]\s*)("[^"\n]*"|'[^'\n]*'|[^\s,}]+)`), "${1}${2}REDACTED"},
	{regexp.MustCompile(`(?im)((?:^|[\s"'])--?[\w-]*(?:password|passwd|pwd|token|secret|key)\s+)[^\s-]\S*`), "${1}REDACTED"},
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}`), "${1} REDACTED"},
	{regexp.MustCompile(`(://)[^/\s@"']+@`), "${1}REDACTED@"},
	{regexp.MustCompile(`\b(?:eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*|gh[pousr]_\w{8,}|github_pat_\w{8,}|xox[a-z]-[\w-]{8,}|glpat-[\w-]{8,}|AKIA[A-Z0-9]{12,})`), "REDACTED"},
}

// withoutSecrets leaves such out of a text.
func withoutSecrets(text []byte) []byte {
	for _, s := range secrets {
		text = s.form.ReplaceAll(text, []byte(s.with))
	}
	return text
}

// isFree reports whether a file may have words of other programs, and so credentials. Rules
// have names of objects, which may look like them.
func (f *collected) isFree() bool {
	return strings.HasPrefix(f.name, "log") || strings.HasPrefix(f.name, "agent/") || strings.HasSuffix(f.name, ".json")
}

// namesIn are the names that a file says in places of its own.
func namesIn(f collected) (names []string) {
	switch {
	case f.name == "status.json":
		var s api.Status
		if json.NewDecoder(bytes.NewReader(f.data)).Decode(&s) == nil { // the exit code follows
			if s.Agent != nil {
				names = append(names, s.Agent.Node)
			}
			for _, x := range s.Findings {
				_, name, _ := strings.Cut(x.Object, " ")
				names = append(names, name)
			}
		}
	case f.name == "agent/metrics.txt", strings.HasPrefix(f.name, "log"):
		for _, m := range labelled.FindAllSubmatch(f.data, -1) {
			names = append(names, string(m[1]))
		}
	case strings.HasPrefix(f.name, "rules/"):
		for _, e := range []*regexp.Regexp{commented, profiled} {
			for _, m := range e.FindAllSubmatch(f.data, -1) {
				names = append(names, string(m[1]))
			}
		}
	}
	return names
}

// labelled finds labels of metrics, and fields of log lines, that are names of objects.
var labelled = regexp.MustCompile(`\b(?:namespace|name|service|pod|node|host|object|policy)="?([^"\s]*)`)

// profiled finds the policies in names of chains and sets (ir.Profile.ID).
var profiled = regexp.MustCompile(`\b(?:in|out)-([a-z0-9][-a-z0-9./]*)`)

// commented finds the comments of rules, which are names of objects.
var commented = regexp.MustCompile(`comment "([^"\n]*)"`)
