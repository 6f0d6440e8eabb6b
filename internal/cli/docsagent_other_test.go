//go:build !linux

package cli_test

func addAgent(map[string]func()) {}
