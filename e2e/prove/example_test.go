package prove

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	kubeproxyconfig "k8s.io/kubernetes/pkg/proxy/apis/config"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/testing/randomcluster"
)

var update = flag.Bool("update", false, "write the listings of examples/kube-proxy-migration again")

// TestExample compares the listings that are committed with what kube-proxy writes today: the
// tests of the command, and its documents, use them.
func TestExample(t *testing.T) {
	const dir = "../../examples/kube-proxy-migration"
	set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{filepath.Join(dir, "cluster.yaml")}})
	if err != nil || len(diags) > 0 {
		t.Fatal(err, diags)
	}
	settings, diags, err := nodeconfig.Load(filepath.Join(dir, "kube-proxy.yaml"))
	if err != nil {
		t.Fatal(err, diags)
	}
	names := map[kubeproxyconfig.ProxyMode]string{kubeproxyconfig.ProxyModeNFTables: "kube-proxy.nft", kubeproxyconfig.ProxyModeIPTables: "kube-proxy.iptables"}
	for mode, name := range names {
		k := kubeProxy{randomcluster.Cluster{Objects: set, Config: settings.Config}, "control-plane", mode}
		texts, err := k.rules()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if *update {
			if err := os.WriteFile(path, texts[0], 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(sorted(want), sorted(texts[0])) {
			t.Errorf("%s differs from what kube-proxy writes; -update writes it", path)
		}
	}
}

var words = regexp.MustCompile(`[^\s,]+`)

// sorted are the words of a listing without comments: kube-proxy writes Services in the order
// of a map.
func sorted(text []byte) []string {
	var out []string
	for line := range bytes.Lines(text) {
		if !bytes.HasPrefix(line, []byte("#")) {
			out = append(out, words.FindAllString(string(line), -1)...)
		}
	}
	slices.Sort(out)
	return out
}
