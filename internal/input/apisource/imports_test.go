package apisource

import "testing"

// TestImportsKinds: ServiceImports are watched only where they are asked for, and then Services of
// other proxies too, whose ClusterIPs no import may have.
func TestImportsKinds(t *testing.T) {
	plain := kinds("node-a", false, false)
	for _, k := range plain {
		if k.kind == "ServiceImport" || k.kind == "Service" && k.labels == "" {
			t.Errorf("without imports: %s %q", k.kind, k.labels)
		}
	}
	seen := 0
	for _, k := range withImports(kinds("node-a", false, false)) {
		switch k.kind {
		case "ServiceImport":
			if seen++; !k.optional || len(k.older) != 1 {
				t.Errorf("%+v", k)
			}
		case "Service":
			if seen++; k.labels != "" {
				t.Errorf("labels %q", k.labels)
			}
		}
	}
	if seen != 2 {
		t.Errorf("%d of 2 kinds", seen)
	}
}
