package pseudonym

import (
	"fmt"
	"strings"
	"testing"
)

func TestReplace(t *testing.T) {
	var n Names
	n.Add("shop/web:http", "web-0", "tcp", "ab")
	n.AddPairs([]byte("level=INFO msg=gone object=other/thing ratio=3/4 at=10.0.0.0/8 10.1.1.1/tcp"))
	text := `map services { 10.96.0.10 . tcp . 80 comment "shop/web:http" : goto pick-5, 10.96.0.10 } web-0 fd00::1:2, [fd00::1:2]:80 10.96.0.11/32 127.0.0.1 ::1 0.0.0.0/0 12:30:01 other/thing ab`
	got := string(n.Replace([]byte(text)))
	for _, secret := range []string{"shop", "web", "10.96", "fd00", "other", "thing"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is in %s", secret, got)
		}
	}
	for _, same := range []string{"map services {", ". tcp . 80 comment", "goto pick-5", "127.0.0.1 ::1 0.0.0.0/0 12:30:01", "/32", "]:80", " ab"} {
		if !strings.Contains(got, same) {
			t.Errorf("%q is not in %s", same, got)
		}
	}
	if strings.Count(got, "198.18.0.1 ") != 2 || strings.Count(got, "2001:db8::1") != 2 || !strings.Contains(got, "198.18.0.2/32") {
		t.Errorf("not the same one for the same: %s", got)
	}
	if again := string(n.Replace([]byte(text))); again != got {
		t.Errorf("%s\n%s", got, again)
	}
}

// TestLonger has names that begin with others, and more addresses than a byte counts.
func TestLonger(t *testing.T) {
	var n Names
	n.Add("web", "web-db", "web-db-0")
	if got := string(n.Replace([]byte("web-db-0 web-db web"))); got != "name-3 name-2 name-1" {
		t.Error(got)
	}
	seen := make(map[string]bool)
	for i := range 1000 {
		got := string(n.Replace(fmt.Appendf(nil, "10.%d.%d.1", i/256, i%256)))
		if seen[got] || !strings.HasPrefix(got, "198.1") {
			t.Fatalf("%d: %s", i, got)
		}
		seen[got] = true
	}
}
