package cni

import (
	"cmp"
	"slices"
	"strings"
)

// Workload is a workload of the cluster, as far as it says what nodes have.
type Workload struct {
	Kind, Namespace, Name string
	Images                []string // of its containers
}

// OfWorkloads looks which system a cluster has, by its DaemonSets. cilium are the options
// of the ConfigMap cilium-config, or nil.
func OfWorkloads(list []Workload, cilium map[string]string) Found {
	var found Found
	var named []System
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Workload) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, w := range list {
		if w.Kind != "DaemonSet" {
			continue
		}
		for _, s := range matching(&w) {
			found.because("DaemonSet %s/%s is %s's", w.Namespace, w.Name, s.Title)
			if !slices.ContainsFunc(named, func(o System) bool { return o.Name == s.Name }) {
				named = append(named, s)
			}
		}
	}
	// A plugin that calls others does not say how pods' interfaces are made.
	plugins := slices.DeleteFunc(slices.Clone(named), func(s System) bool { return s.Meta() })
	if len(plugins) == 0 {
		plugins = named
	}
	plugins = found.chain(plugins, cilium)
	switch {
	case len(plugins) == 1:
		found.System = &plugins[0]
		if found.Preset.DetectLocal == "" {
			found.Preset = plugins[0].Preset()
		}
	case len(plugins) == 0:
		found.because("no DaemonSet of the input is a network plugin's that planec knows")
	default:
		for _, s := range plugins {
			found.Candidates = append(found.Candidates, s.Name)
		}
		slices.Sort(found.Candidates)
	}
	return found
}

// matching are the systems of a DaemonSet: by its name, else by its images.
func matching(w *Workload) (list []System) {
	for _, s := range Systems() {
		if slices.Contains(s.Signs.DaemonSets, w.Name) {
			list = append(list, s)
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, s := range Systems() {
		if slices.ContainsFunc(w.Images, func(image string) bool { return isOf(image, s.Signs.Images) }) {
			list = append(list, s)
		}
	}
	return list
}

// isOf reports whether an image's name, without tag and digest, ends in one of the names.
func isOf(image string, ends []string) bool {
	image, _, _ = strings.Cut(image, "@")
	if at := strings.LastIndexByte(image, ':'); at > strings.LastIndexByte(image, '/') {
		image = image[:at]
	}
	return slices.ContainsFunc(ends, func(end string) bool { return image == end || strings.HasSuffix(image, "/"+end) })
}

// chain makes Cilium behind another plugin one system, as its options say, and reads from
// them whether it serves Services.
func (f *Found) chain(plugins []System, options map[string]string) []System {
	if mode := options["cni-chaining-mode"]; mode != "" && mode != "none" {
		chained, err := Lookup("cilium-chained")
		if err != nil {
			return plugins // the table has it
		}
		f.because("cni-chaining-mode of cilium-config is %s", bounded(mode))
		others := slices.DeleteFunc(slices.Clone(plugins), func(s System) bool { return s.Name == "cilium" })
		if len(others) == 1 {
			f.Preset = others[0].Preset()
		}
		plugins = []System{*chained}
	}
	for i := range plugins {
		if s := &plugins[i]; s.Services == MayServe && strings.HasPrefix(s.Name, "cilium") && slices.Contains([]string{"true", "strict", "partial"}, options["kube-proxy-replacement"]) {
			f.because("kube-proxy-replacement of cilium-config is %s: Cilium serves Services", options["kube-proxy-replacement"])
			s.Services = ReplacesServices
		}
	}
	return plugins
}

// bounded is a word of an object, of a length that fits a line.
func bounded(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
