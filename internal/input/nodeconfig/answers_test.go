package nodeconfig

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func loadDomains(t *testing.T, text string) (map[string][]netip.Addr, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "names")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return LoadDomains(path)
}

// TestAnswers reads what dig prints, and lines of hosts(5) beside it.
func TestAnswers(t *testing.T) {
	got, err := loadDomains(t, `; <<>> DiG 9.18 <<>> www.example.com
www.example.com.	300	IN	CNAME	edge.example.net.
edge.example.net.	60	IN	A	192.0.2.7
edge.example.net.	60	IN	AAAA	2001:db8::7 ; a comment
example.com.	3600	IN	MX	10 mail.example.com.
example.com.		3600	IN	TXT	"v=spf1"
192.0.2.8 www.example.com api # by hand
alias.example.org. 5 in cname nowhere.example.org.
`)
	addr := netip.MustParseAddr
	want := map[string][]netip.Addr{
		"edge.example.net": {addr("192.0.2.7"), addr("2001:db8::7")},
		"www.example.com":  {addr("192.0.2.7"), addr("192.0.2.8"), addr("2001:db8::7")},
		"api":              {addr("192.0.2.8")},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v %v, want %v", got, err, want)
	}
}

// TestWrongAnswers lists files that are refused.
func TestWrongAnswers(t *testing.T) {
	loop := "a. 1 IN CNAME b.\nb. 1 IN CNAME a.\n"
	for name, text := range map[string]string{
		"no address":      "a.example. 60 IN A x",
		"no time":         "a.example. soon IN A 192.0.2.1",
		"too much":        "a.example. 60 IN A 192.0.2.1 192.0.2.2",
		"two names":       "a. 1 IN CNAME b.\na. 1 IN CNAME c.",
		"a loop":          loop,
		"a bad name":      "* 60 IN A 192.0.2.1",
		"a bad target":    "a. 60 IN CNAME *.b.",
		"no last dot":     "a.example 60 IN A 192.0.2.1",
		"an address only": "192.0.2.1",
	} {
		if got, err := loadDomains(t, text); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
