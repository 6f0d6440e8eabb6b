package testkit

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
)

// Run runs a program in the node's namespace, with stdin as its input, and
// returns its standard output. The error has its standard error.
func (r *Rig) Run(stdin, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	// A child has the namespace of the thread that starts it.
	err := r.node.do(cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return stdout.String(), fmt.Errorf("%v: %w\n%s", cmd, err, stderr.Bytes())
	}
	return stdout.String(), nil
}

// LoadNFT loads nft's text into the node in one transaction.
func (r *Rig) LoadNFT(rules string) error {
	_, err := r.Run(rules, "nft", "-f", "-")
	return err
}
