package report

import "testing"

func TestPeerWords(t *testing.T) {
	for id, want := range map[string]string{
		"pods market app=web":                            "pods with app=web of market",
		"pods market *":                                  "pods of market",
		"pods ns(*) *":                                   "pods of every namespace",
		"pods ns(team=a) app in (cache,db),tier":         "pods with app in (cache,db),tier of namespaces with team=a",
		"pods ns(zone in (a,b)) *":                       "pods of namespaces with zone in (a,b)",
		"pods ns(kubernetes.io/metadata.name=lab) *":     "pods of lab",
		"pods ns(*) * with api/tcp=9090/tcp":             "pods of every namespace whose port api/tcp is 9090/tcp",
		"nodes *":                                        "every node",
		"nodes zone=b":                                   "nodes with zone=b",
		"net 0.0.0.0/0 except 10.0.0.0/8,192.168.0.0/16": "0.0.0.0/0 but not 10.0.0.0/8, 192.168.0.0/16",
		"pods ns(":                                       "pods ns(",
		"another thing":                                  "another thing",
	} {
		if got := peerWords(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}
