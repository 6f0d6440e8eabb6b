package prove

import (
	"bytes"
	"flag"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	kubeproxyconfig "k8s.io/kubernetes/pkg/proxy/apis/config"

	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/internal/testing/uml"
)

var update = flag.Bool("update", false, "write the listings of examples/kube-proxy-migration again")

// migration is the folder of the example.
const migration = "../../examples/kube-proxy-migration"

// TestExample compares the listings that are committed with what kube-proxy writes today: the
// tests of the command, and its documents, use them. TestIPVS compares that of IPVS mode.
func TestExample(t *testing.T) {
	if uml.Inside() {
		t.Skip("it needs no other kernel")
	}
	names := map[kubeproxyconfig.ProxyMode]string{kubeproxyconfig.ProxyModeNFTables: "kube-proxy.nft", kubeproxyconfig.ProxyModeIPTables: "kube-proxy.iptables"}
	for mode, name := range names {
		k := exampleIn(t, migration, mode)
		texts, err := k.rules()
		if err != nil {
			t.Fatal(err)
		}
		compareExample(t, filepath.Join(migration, name), texts[0])
	}
}

// exampleIn is kube-proxy on the node of the example in a folder.
func exampleIn(t *testing.T, dir string, mode kubeproxyconfig.ProxyMode) kubeProxy {
	t.Helper()
	set, diags, err := manifest.Load(t.Context(), manifest.Options{Paths: []string{filepath.Join(dir, "cluster.yaml")}})
	if err != nil || len(diags) > 0 {
		t.Fatal(err, diags)
	}
	settings, diags, err := nodeconfig.Load(filepath.Join(dir, "kube-proxy.yaml"))
	if err != nil {
		t.Fatal(err, diags)
	}
	return kubeProxy{randomcluster.Cluster{Objects: set, Config: settings.Config}, "control-plane", mode}
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
