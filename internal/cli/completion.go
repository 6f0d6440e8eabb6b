package cli

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/kustomize"
	"github.com/planec/planec/internal/input/manifest"
	"github.com/planec/planec/internal/input/synth"
)

// values completes a flag or an argument from its valid values, given the rest of the
// command line.
type values = cobra.CompletionFunc

// complete registers shell completion for the values of flags: fixed words, or the
// names of objects in the input of -f.
func complete(root *cobra.Command) {
	places := map[string]values{
		"from":      ofInput(sources),
		"to":        ofInput(destinations),
		"focus":     ofInput(pods),
		"namespace": ofInput(namespaces),
		"node":      ofInput(nodes),

		"color":              words([]string{"auto", "always", "never"}),
		"policy-deny":        words([]string{"drop", "reject"}),
		"ipvs-scheduler":     words([]string{"rr", "wrr", "lc", "sh", "mh"}),
		"detect-local":       words([]string{"cluster-cidr", "node-cidr", "bridge:", "prefix:", "none"}),
		"external-ips":       words([]string{"allow", "deny"}),
		"nodeport-addresses": lists([]string{"primary", "localhost", "all"}),
	}
	dirs := []string{"out-dir", "artifact", "state-dir", "kustomize", "cgroup"}
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			var from values
			switch v := f.Value.(type) {
			case *choice:
				from = words(v.words)
			case *choices:
				from = lists(v.words)
			default:
				from = places[f.Name]
			}
			if cmd.Name() == "matrix" && (f.Name == "from" || f.Name == "to") {
				from = ofInput(pods) // a list is about pods, not nodes or Services
			}
			if slices.Contains(dirs, f.Name) {
				_ = cmd.MarkFlagDirname(f.Name) // the flag exists
			} else if from != nil {
				_ = cmd.RegisterFlagCompletionFunc(f.Name, from) // none is registered yet
			}
		})
	}
}

// words completes one of a few words.
func words(list []string) values {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
}

// lists completes words separated by commas, each at most once.
func lists(list []string) values {
	return func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		before := begun[:strings.LastIndex(begun, ",")+1]
		var out []string
		for _, word := range list {
			if !slices.Contains(strings.Split(before, ","), word) {
				out = append(out, before+word)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// ofInput completes with names from the input of -f. Unreadable input offers nothing,
// because a shell shows no message.
func ofInput(names func(*objects.Set) []string) values {
	return func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		set := completionInput(cmd.Flags())
		list := make(map[string]bool)
		for _, name := range names(&set) {
			if !strings.ContainsFunc(name, notInAShell) {
				list[name] = true
			}
		}
		return slices.Sorted(maps.Keys(list)), cobra.ShellCompDirectiveNoFileComp
	}
}

// notInAShell reports whether a character cannot be part of an object's name. Such
// names must not be typed into a shell.
func notInAShell(r rune) bool {
	return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/", r)
}

// completionInput reads the input of the flags before the cursor, except stdin, which
// is the terminal.
func completionInput(flags *pflag.FlagSet) objects.Set {
	paths, _ := flags.GetStringSlice("filename") // no flag is no input
	paths = slices.DeleteFunc(slices.Clone(paths), func(p string) bool { return p == "-" })
	recursive, _ := flags.GetBool("recursive")
	made, _ := flags.GetBool("synth")
	count, _ := flags.GetInt("synth-nodes")
	dirs, _ := flags.GetStringArray("kustomize")
	exclude, _ := flags.GetStringArray("exclude")
	o := manifest.Options{Paths: paths, Exclude: exclude, Recursive: recursive, Workloads: made, KeepGoing: true}
	for _, dir := range dirs {
		built, _ := kustomize.Build(dir) // a kustomization that cannot be built offers nothing
		o.Built = append(o.Built, built...)
	}
	if len(o.Paths)+len(o.Built) == 0 {
		return objects.Set{}
	}
	set, diags, err := manifest.Load(context.Background(), o)
	if err != nil {
		return objects.Set{}
	}
	if set.Deduplicate(&diags); made {
		return synth.Complete(&set, synth.Options{Nodes: count}).Set
	}
	return set
}

func nodes(set *objects.Set) (out []string) {
	for _, n := range set.Nodes {
		out = append(out, n.Object.Name)
	}
	return out
}

// pods returns the names of pods.
func pods(set *objects.Set) (out []string) {
	for _, p := range set.Pods {
		out = append(out, objects.NameOf(p.Object).String())
	}
	return out
}

// namespaces returns those that objects are in, and those that are objects.
func namespaces(set *objects.Set) (out []string) {
	for _, n := range set.Namespaces {
		out = append(out, n.Object.Name)
	}
	for _, p := range set.Pods {
		out = append(out, p.Object.Namespace)
	}
	for _, s := range set.Services {
		out = append(out, s.Object.Namespace)
	}
	return out
}

// sources returns the possible sources of a connection.
func sources(set *objects.Set) (out []string) {
	for _, n := range nodes(set) {
		out = append(out, "node/"+n)
	}
	return append(out, pods(set)...)
}

// destinations returns the possible destinations of a connection.
func destinations(set *objects.Set) []string {
	out := sources(set)
	for _, s := range set.Services {
		out = append(out, "svc/"+objects.NameOf(s.Object).String())
	}
	return out
}
