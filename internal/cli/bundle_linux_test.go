package cli_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/cli"
	"github.com/planec/planec/internal/testing/testkit"
)

// bundle runs planec support-bundle in a node's namespace, and returns its files.
func bundle(t *testing.T, r *testkit.Rig, args ...string) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b.tar.gz")
	run(t, r, append([]string{"support-bundle", "-o", path}, args...)...)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for archive := tar.NewReader(z); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(h.Name, "planec-support/")] = string(data)
	}
}

func run(t *testing.T, r *testkit.Rig, args ...string) {
	t.Helper()
	var out bytes.Buffer
	code := 0
	if err := r.Do(func() error {
		code = cli.Run(args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out})
		return nil
	}); err != nil || code != 0 {
		t.Fatalf("%v: code %d, %v:\n%s", args, code, err, out.String())
	}
}

// TestSupportBundle looks at a node that has rules, with names and without.
func TestSupportBundle(t *testing.T) {
	testkit.Require(t, "nft")
	r := testkit.New(t, testkit.Spec{})
	state := t.TempDir()
	log := filepath.Join(t.TempDir(), "agent.log")
	if err := os.WriteFile(log, []byte("level=ERROR msg=\"given up\" object=crimson/walrus address=10.96.3.4 token=abcdef password: \"hunter2 and more\" Authorization: Bearer eyJabcdefgh.ijk.lmn\nNov 30 02:52:23 ochre-rack4 planec-agent[812]: level=ERROR msg=\"dial tcp: lookup teal.prod.example.com on 10.96.0.10:53: no such host\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, r, "apply", "-f", "../../examples/policies", "--config", "../../examples/policies/settings/node.yaml", "--node", "node-b", "--backend", "nftables", "--state-dir", state)
	files := bundle(t, r, "--state-dir", state, "--log", log, "--log", "/proc/version")
	for name, want := range map[string]string{
		"status.json": `"state": "in sync"`, "verify.txt": "in sync", "rules/nftables/rules.nft": "shop/db", "kernel/nftables.txt": "shop/db-0", "kernel/nft.txt": "table ip planec",
		"log-1.txt": "crimson/walrus", "README.txt": "no agent answers", "kernel/settings.txt": "net.ipv4.ip_forward = ",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s lacks %q:\n%.2000s", name, want, files[name])
		}
	}
	for name, text := range files {
		for _, hidden := range []string{"abcdef", "hunter2", "and more", "ijk"} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s has %q", name, hidden)
			}
		}
	}
	for _, backend := range []string{"nftables", "iptables"} {
		redacted(t, r, backend, log)
	}
}

// TestSecrets has credentials as logs and configurations write them.
func TestSecrets(t *testing.T) {
	log := filepath.Join(t.TempDir(), "agent.log")
	secrets := []string{
		"Authorization: Basic dXNlcjpZZZ1", "url=https://user:ZZZ2@host.example/path", "--token ZZZ3.ghi --password ZZZ4 --port 80", "pwd=ZZZ5", "client-key-data: LS0tZZZ6",
		"aws_secret_access_key = wJalrZZZ7", "cookie: session=ZZZ8; b=ZZZ9", "Set-Cookie: sid=ZZZ10", "ghp_ZZZ11abcdefgh", "xoxb-ZZZ12-abcdefgh", `{"password": "ZZZ13 and ZZZ14", "port": 80}`,
		"Authorization: Bearer ZZZ15", "passphrase='ZZZ16 x'", `msg="calling with bearer ZZZ17abc"`, "AKIAZZZ18ABCDEFGHIJ", "token=ZZZ19",
	}
	if err := os.WriteFile(log, []byte(strings.Join(secrets, "\n")+"\nobject=shop/my-secret port=80\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := testkit.New(t, testkit.Spec{})
	text := bundle(t, r, "--state-dir", t.TempDir(), "--log", log)["log-1.txt"]
	if strings.Contains(text, "ZZZ") || !strings.Contains(text, "host.example/path") || !strings.Contains(text, "--port 80") || !strings.Contains(text, "object=shop/my-secret port=80") {
		t.Error(text)
	}
}

// redacted wants no name and no address of the input in a bundle of a backend's rules.
func redacted(t *testing.T, r *testkit.Rig, backend, log string) {
	t.Helper()
	state := t.TempDir()
	testkit.Require(t, "ipset", "iptables-restore")
	run(t, r, "apply", "-f", "../../examples/policies", "--config", "../../examples/policies/settings/node.yaml", "--node", "node-b", "--backend", backend, "--state-dir", state)
	files := bundle(t, r, "--state-dir", state, "--log", log, "--redact-names")
	for name, text := range files {
		for _, hidden := range []string{"shop", "db-from", "web-0", "prometheus", "monitoring", "node-b", "10.244.", "10.96.", "crimson", "walrus", "ochre", "rack4", "teal", "prod.example"} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s: %s has %q", backend, name, hidden)
			}
		}
	}
	if text := files["kernel/nft.txt"]; backend == "nftables" && (!strings.Contains(text, "table ip planec") || !strings.Contains(text, "198.18.0.")) {
		t.Errorf("rules cannot be read any more:\n%.1000s", text)
	}
}
