package report

import "strings"

// peerWords says the ID of an address set, which is a selector or networks in
// canonical form, as people say it: "pods market app=web" is "pods with app=web of market".
// What it does not know stays as it is.
func peerWords(id string) string {
	kind, rest, _ := strings.Cut(id, " ")
	switch kind {
	case "net":
		return strings.Replace(strings.ReplaceAll(rest, ",", ", "), " except ", " but not ", 1)
	case "nodes":
		if rest == "*" {
			return "every node"
		}
		return "nodes with " + rest
	case "pods":
		return podWords(id, rest)
	}
	return id
}

func podWords(id, rest string) string {
	where, selector, ok := cutNamespace(rest)
	if !ok {
		return id
	}
	selector, port, named := strings.Cut(selector, " with ")
	words := "pods"
	if selector != "*" {
		words += " with " + selector
	}
	words += " of " + where
	if name, number, ok := strings.Cut(port, "="); named && ok {
		words += " whose port " + name + " is " + number
	}
	return words
}

// cutNamespace splits "shop app=web" and "ns(team=a) app=web" behind the namespace.
func cutNamespace(text string) (where, selector string, ok bool) {
	inside, isSelector := strings.CutPrefix(text, "ns(")
	if !isSelector {
		return strings.Cut(text, " ")
	}
	depth := 1
	for i, c := range inside {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth > 0 {
			continue
		}
		labels := inside[:i]
		selector, ok = strings.CutPrefix(inside[i+1:], " ")
		if name, named := strings.CutPrefix(labels, "kubernetes.io/metadata.name="); named && !strings.Contains(name, ",") {
			return name, selector, ok
		}
		if labels == "*" {
			return "every namespace", selector, ok
		}
		return "namespaces with " + labels, selector, ok
	}
	return "", "", false
}
