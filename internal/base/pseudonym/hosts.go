package pseudonym

import (
	"regexp"
	"slices"
	"strings"
)

// hosts find names of machines in texts of which nothing else is known: the second word of a
// line of a system's log, the host of a URL, what was looked up, and names of DNS with at
// least three parts.
var hosts = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.,]+(?:Z|[+-][0-9:]{4,5})?) ([A-Za-z0-9][-A-Za-z0-9._]*) (?:[-\w./@]+\[[0-9]+\]|kernel):`),
	regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://(?:[^/\s@"']*@)?([A-Za-z0-9][-A-Za-z0-9.]*)`),
	regexp.MustCompile(`\blookup ([A-Za-z0-9][-A-Za-z0-9.]*)`),
	regexp.MustCompile(`\b((?:[A-Za-z0-9](?:[-A-Za-z0-9]*[A-Za-z0-9])?\.){2,}[A-Za-z][-A-Za-z0-9]*[A-Za-z0-9])\b`),
}

// public are endings of names that say nothing of a cluster: groups of its API, and files.
var public = []string{".k8s.io", ".kubernetes.io", ".planec.io", ".github.com", ".golang.org", ".go", ".yaml", ".yml", ".json", ".txt", ".log", ".sock", ".service", ".conf", ".nft"}

// AddHosts makes the names of machines in a text known, and the first part of each, by which
// machines are called too.
func (n *Names) AddHosts(text []byte) {
	for _, e := range hosts {
		for _, m := range e.FindAllSubmatch(text, -1) {
			n.AddHost(string(m[1]))
		}
	}
}

// AddHost makes the name of a machine known, with its first part.
func (n *Names) AddHost(host string) {
	host = strings.TrimRight(host, ".")
	isPublic := slices.ContainsFunc(public, func(end string) bool { return strings.HasSuffix("."+host, end) })
	if isPublic || host == "localhost" || !strings.ContainsAny(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz") {
		return
	}
	if notHosts.MatchString(host) {
		return
	}
	n.Add(host)
	if first, _, dotted := strings.Cut(host, "."); dotted && strings.ContainsAny(strings.ToLower(first), "abcdefghijklmnopqrstuvwxyz") && !slices.Contains(frequent, first) {
		n.Add(first)
	}
}

// notHosts are versions and settings of the kernel, which a fault cannot be looked into without.
var notHosts = regexp.MustCompile(`^(?:v?[0-9]+|net|kernel|fs|vm)\.`)

// frequent are first parts of names that are words of logs too.
var frequent = []string{"api", "www", "apiserver", "server", "agent", "cluster", "proxy"}
