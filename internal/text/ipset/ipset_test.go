package ipset_test

import (
	"strings"
	"testing"

	"github.com/planec/planec/internal/text/ipset"
)

// read returns the kinds of the sets and the elements that a text has.
func read(text string) (out []string, err error) {
	for c, err := range ipset.Commands([]byte(text)) {
		switch {
		case err != nil:
			return out, err
		case c.Verb == "create":
			made, err := c.Create()
			if err != nil {
				return out, err
			}
			out = append(out, made.Kind())
		case c.Verb == "add":
			e, err := c.Add()
			if err != nil {
				return out, err
			}
			out = append(out, e.String())
		default:
			out = append(out, c.Verb+" "+c.Set+" "+c.Rest)
		}
	}
	return out, nil
}

// TestRead parses what ipset save 7.17 prints of the sets of emitted files.
func TestRead(t *testing.T) {
	for text, want := range map[string]string{
		"create a hash:ip,port family inet hashsize 1024 maxelem 65536 comment bucketsize 12 initval 0xba734fe5\n": "hash:ip,port comment family inet maxelem 65536",
		"create a hash:ip family inet hashsize 64 maxelem 65536 timeout 0 -exist\n":                                "hash:ip family inet maxelem 65536 timeout 0",
		"add a 10.0.0.1/32 timeout 4\n":                                       "10.0.0.1",
		"add a fd00::1/128,tcp:80\n":                                          "fd00::1,tcp:80",
		"add a 10.0.0.0/8 nomatch\n":                                          "10.0.0.0/8 nomatch",
		"add a 10.0.0.1,tcp:80 packets 1 bytes 2 comment \"x \\\" -exist\n":   `10.0.0.1,tcp:80 comment "x \"`,
		"add a 10.0.0.1,tcp:80 comment \"shop/web -exist\" skbmark 0x5/0x7\n": `10.0.0.1,tcp:80 comment "shop/web -exist" skbmark 0x5/0x7`,
		"# a comment\n\nflush a\nswap a b\ndestroy b\n":                       "flush a ,swap a b,destroy b ",
	} {
		got, err := read(text)
		if err != nil || strings.Join(got, ",") != want {
			t.Errorf("%q: %q (%v), want %q", text, got, err, want)
		}
	}
}

// TestStrict: an unknown option is named with its line.
func TestStrict(t *testing.T) {
	for _, text := range []string{
		"create a\n", "create a hash:ip colour red\n", "create a hash:ip maxelem\n", "add a\n", "add a 10.0.0.1 timeout\n", "add a 10.0.0.1 colour\n",
		"add a 10.0.0.1 comment \"x\n", "list\n", "flush a b\n", "swap a\n", "swap a b c\n", "destroy\n",
	} {
		if got, err := read("flush a\n" + text); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestNamed(t *testing.T) {
	for member, want := range map[string][2]string{
		"10.0.0.1":                                  {"10.0.0.1", ""},
		`10.0.0.1,tcp:80 comment "a/b"`:             {"10.0.0.1,tcp:80", "a/b"},
		`10.0.0.1,tcp:80 skbmark 0x1 comment "a b"`: {"10.0.0.1,tcp:80", "a b"},
	} {
		if element, comment := ipset.Named(member); element != want[0] || comment != want[1] {
			t.Errorf("%s: %q, %q", member, element, comment)
		}
	}
}
