package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/planec/planec/internal/review/clusterwide"
)

// line is one line of a list: what reaches what, on which ports.
type line struct {
	from, to peer
	ports    clusterwide.Ports
}

// peer is a workload, a range of addresses or the ingress controller.
type peer struct {
	namespace, name, kind string
	first, last           netip.Addr
	controller            bool
}

// expectation is what the other tool says of a directory.
type expected struct {
	lines []line
	// networks reports that the list is about several networks of pods, which planec
	// has not.
	networks bool
}

// expectation reads what is expected of a test; ok is false if there is no such file.
func expectation(dir, name string) (e expected, ok bool, err error) {
	base := filepath.Join(dir, "test_outputs", "connlist", name+"_connlist_output")
	for _, ext := range []string{".txt", ".csv"} {
		text, err := os.ReadFile(base + ext)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return e, false, err
		}
		if e, err = parse(string(text), ext == ".csv"); err != nil {
			return e, false, fmt.Errorf("%s%s: %w", base, ext, err)
		}
		return e, true, nil
	}
	return e, false, nil
}

func parse(text string, isCSV bool) (e expected, err error) {
	var rows [][3]string
	if isCSV {
		all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			return e, err
		}
		for _, r := range all[min(1, len(all)):] {
			if len(r) == 3 {
				rows = append(rows, [3]string{r[0], r[1], r[2]})
			}
		}
	} else {
		for l := range strings.Lines(text) {
			from, rest, ok := strings.Cut(strings.TrimSpace(l), " => ")
			to, ports, has := strings.Cut(rest, " : ")
			switch {
			case strings.Contains(l, "UDN") || strings.Contains(l, "NAD"):
				e.networks = true
			case ok && has:
				rows = append(rows, [3]string{from, to, ports})
			}
		}
	}
	for _, r := range rows {
		var l line
		if l.from, err = parsePeer(r[0]); err != nil {
			return e, err
		}
		if l.to, err = parsePeer(r[1]); err != nil {
			return e, err
		}
		if l.ports, err = parsePorts(r[2]); err != nil {
			return e, err
		}
		e.lines = append(e.lines, l)
	}
	return e, nil
}

func parsePeer(s string) (p peer, err error) {
	s = strings.Replace(s, "[udn]", "", 1) // a mark of the namespace
	name, kind, _ := strings.Cut(strings.TrimSpace(s), "[")
	p.kind = strings.TrimSuffix(kind, "]")
	if name == "{ingress-controller}" {
		return peer{controller: true}, nil
	}
	first, last, isRange := strings.Cut(name, "-")
	if a, err := netip.ParseAddr(first); err == nil {
		p.first, p.last = a, a
		if isRange {
			p.last, err = netip.ParseAddr(last)
		}
		return p, err
	}
	if prefix, err := netip.ParsePrefix(name); err == nil {
		return peer{}, fmt.Errorf("network %v: want a range", prefix)
	}
	var ok bool
	if p.namespace, p.name, ok = strings.Cut(name, "/"); !ok {
		return p, fmt.Errorf("%q is no peer", s)
	}
	return p, nil
}

// parsePorts reads "All Connections", or "TCP 1-79,81-65535,UDP 53", where a number without
// a protocol is one more of the last.
func parsePorts(s string) (clusterwide.Ports, error) {
	var out clusterwide.Ports
	if s == "All Connections" {
		return normal(clusterwide.EveryPort()), nil
	}
	at := -1
	for _, word := range strings.Split(s, ",") {
		word = strings.TrimSpace(word)
		if proto, rest, ok := strings.Cut(word, " "); ok || !strings.ContainsAny(word[:min(1, len(word))], "0123456789") {
			at = -1
			for i, p := range clusterwide.Protocols() {
				if strings.EqualFold(p.String(), proto) {
					at = i
				}
			}
			if word = rest; !ok {
				word = "1-65535"
			}
		}
		if at < 0 {
			return out, fmt.Errorf("%q: no protocol", s)
		}
		first, last, isRange := strings.Cut(word, "-")
		if !isRange {
			last = first
		}
		a, err := strconv.Atoi(first)
		if err != nil {
			return out, fmt.Errorf("%q: %w", s, err)
		}
		b, err := strconv.Atoi(last)
		if err != nil {
			return out, fmt.Errorf("%q: %w", s, err)
		}
		var one clusterwide.Ports
		one.Spans[at] = []clusterwide.Span{{First: a, Last: b}}
		out = out.Union(one)
	}
	return normal(out), nil
}

// normal leaves out what the other tool does not tell: port 0 and protocols without ports.
func normal(s clusterwide.Ports) clusterwide.Ports {
	zero := clusterwide.Ports{Other: true}
	for i := range zero.Spans {
		zero.Spans[i] = []clusterwide.Span{{First: 0, Last: 0}}
	}
	return s.Minus(zero)
}
