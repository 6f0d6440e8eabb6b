package cni_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planec/planec/internal/input/cni"
)

// TestHostileFiles: a file that is no configuration is said and costs itself only.
func TestHostileFiles(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)
	for name, text := range map[string]string{
		"empty": "", "no JSON": "type: bridge", "cut off": `{"type": "bridge"`, "a list": `[{"type": "bridge"}]`, "a number": "7",
		"two values": `{"type": "bridge"} {"type": "flannel"}`, "binary": "\x00\xff\xfe", "deep": `{"type": "bridge", "x": ` + deep + `}`,
		"large": `{"type": "bridge", "x": "` + strings.Repeat("x", 1<<20) + `"}`, "no type": `{"name": "x"}`, "type of a list": `{"type": ["bridge"]}`,
		"long type": `{"type": "` + strings.Repeat("b", 200) + `"}`, "null": "null",
	} {
		root := node(t, map[string]string{"00-x.conf": text, "10-flannel.conflist": flannelConf})
		found := cni.Detect(cni.Host{Root: root})
		if found.System == nil || found.System.Name != "flannel" || len(found.Unread) != 1 || !strings.HasSuffix(found.Unread[0].File, "00-x.conf") {
			t.Errorf("%s: %+v", name, found)
		}
	}
	for name, text := range map[string]string{
		"no plugins": `{"type": "bridge"}`, "empty plugins": `{"plugins": []}`, "plugins of another type": `{"plugins": {"type": "bridge"}}`,
		"a plugin without a type": `{"plugins": [{"type": "flannel"}, {}]}`, "a plugin that is a word": `{"plugins": ["bridge"]}`,
		"many plugins": `{"plugins": [` + strings.TrimSuffix(strings.Repeat(`{"type": "bridge"},`, 33), ",") + `]}`,
	} {
		root := node(t, map[string]string{"00-x.conflist": text, "10-flannel.conflist": flannelConf})
		if found := cni.Detect(cni.Host{Root: root}); found.System == nil || found.System.Name != "flannel" || len(found.Unread) != 1 {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// TestHostileFields: a field that has a use elsewhere does not lead to a setting.
func TestHostileFields(t *testing.T) {
	for name, text := range map[string]string{
		"a name that is none": `{"type": "bridge", "bridge": "a b\nc"}`, "a long name": `{"type": "bridge", "bridge": "` + strings.Repeat("b", 16) + `"}`,
		"a number": `{"type": "bridge", "bridge": 7, "ipMasq": {}}`, "a path": `{"type": "bridge", "bridge": "../x"}`,
	} {
		found := cni.Detect(cni.Host{Root: node(t, map[string]string{"10-x.conf": text})})
		if found.System == nil || found.Preset.DetectLocal != "bridge:cni0" {
			t.Errorf("%s: %+v", name, found)
		}
	}
	found := cni.Detect(cni.Host{Root: node(t, map[string]string{"10-x.conf": `{"type": "multus", "clusterNetwork": "../../../../etc/passwd"}`})})
	if found.System == nil || found.System.Name != "multus" || found.Preset.DetectLocal != "" {
		t.Errorf("%+v", found)
	}
}

// TestHostileDirectories: what is no file of a bounded number is not waited for.
func TestHostileDirectories(t *testing.T) {
	root := node(t, map[string]string{"10-flannel.conflist": flannelConf})
	dir := filepath.Join(root, cni.ConfDir)
	if err := os.Mkdir(filepath.Join(dir, "00-dir.conf"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", filepath.Join(dir, "01-link.conf")); err != nil {
		t.Fatal(err)
	}
	if err := pipe(filepath.Join(dir, "02-pipe.conf")); err != nil {
		t.Skip(err)
	}
	found := cni.Detect(cni.Host{Root: root})
	if found.System == nil || found.System.Name != "flannel" || len(found.Unread) != 3 {
		t.Errorf("%+v", found)
	}
	for i := range 1001 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("x%d", i)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if found := cni.Detect(cni.Host{Root: root}); found.System != nil || len(found.Unread) != 1 {
		t.Errorf("a full directory: %+v", found)
	}
}

// FuzzConf: whatever a configuration has, a look ends, and what it says holds.
func FuzzConf(f *testing.F) {
	for _, seed := range []string{flannelConf, calicoConf, bridgeConf, loopbackConf, `{"type": "multus", "delegates": [{"type": "multus"}]}`, `{"type":"genie","default_plugin":"calico"}`} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, list bool) {
		name := map[bool]string{true: "10-a.conflist", false: "10-a.conf"}[list]
		found := cni.Detect(cni.Host{Root: node(t, map[string]string{name: text})})
		if d := found.Preset.DetectLocal; found.System == nil && d != "" || strings.ContainsAny(d, " \n/") {
			t.Errorf("%+v", found)
		}
	})
}
