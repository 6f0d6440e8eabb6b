package cni_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/planec/planec/internal/input/cni"
)

// TestRootLinks: the links of a node's file system end in it, whichever directory it is mounted at.
func TestRootLinks(t *testing.T) {
	outside := node(t, map[string]string{"10-calico.conflist": calicoConf})
	for _, c := range []struct{ name, target, want string }{
		{"absolute", "/opt/cni", "flannel"},
		{"relative", "../../opt/cni", "flannel"},
		{"above the root", "../../../../../../../../../../opt/cni", "flannel"},
		{"outside", filepath.Join(outside, cni.ConfDir), ""},
		{"itself", cni.ConfDir, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := node(t, nil)
			for _, dir := range []string{"etc/cni", "opt/cni", "data"} {
				if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(root, "data/flannel"), []byte(flannelConf), 0o600); err != nil {
				t.Fatal(err)
			}
			for link, target := range map[string]string{"opt/cni/10-flannel.conflist": "/data/flannel", cni.ConfDir: c.target} {
				if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
					t.Fatal(err)
				}
			}
			found, name := cni.Detect(cni.Host{Root: root}), ""
			if found.System != nil {
				name = found.System.Name
			}
			if name != c.want || (c.name == "itself") != (len(found.Unread) == 1) {
				t.Errorf("%q, want %q: %+v", name, c.want, found)
			}
		})
	}
}

// TestRootIsLink: the root is a path of the machine, and may be a link itself, wherever that leads.
func TestRootIsLink(t *testing.T) {
	root := filepath.Join(t.TempDir(), "host")
	if err := os.Symlink(node(t, map[string]string{"10-flannel.conflist": flannelConf}), root); err != nil {
		t.Fatal(err)
	}
	if found := cni.Detect(cni.Host{Root: root}); found.System == nil || found.System.Name != "flannel" || len(found.Unread) > 0 {
		t.Errorf("%+v", found)
	}
}
