package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	verbose := flag.Bool("v", false, "print every difference")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: npguard [-v] DIR")
		os.Exit(2)
	}
	unexplained, err := run(flag.Arg(0), *verbose)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "npguard:", err)
		os.Exit(3)
	case unexplained > 0:
		os.Exit(1)
	}
}

// run compares all directories and returns how many differ for no known reason.
func run(dir string, verbose bool) (int, error) {
	tests, err := os.ReadDir(filepath.Join(dir, "tests"))
	if err != nil {
		return 0, err
	}
	byReason := make(map[reason][]string)
	read := 0
	for _, t := range tests {
		expected, ok, err := expectation(dir, t.Name())
		if err != nil {
			return 0, err
		}
		if !t.IsDir() || !ok {
			continue
		}
		read++
		why, differences := compare(filepath.Join(dir, "tests", t.Name()), expected)
		byReason[why] = append(byReason[why], t.Name())
		if verbose && why != equal {
			fmt.Printf("%s: %s\n  %s\n", t.Name(), why, strings.Join(differences, "\n  "))
		}
	}
	fmt.Printf("%d directories read\n", read)
	for _, why := range reasons() {
		list := byReason[why]
		fmt.Printf("%4d %s\n", len(list), why)
		if why != equal && len(list) > 0 {
			slices.Sort(list)
			fmt.Printf("       %s\n", strings.Join(list, " "))
		}
	}
	return len(byReason[unknown]), nil
}
