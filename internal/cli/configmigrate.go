package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/planec/planec/internal/input/nodeconfig"
	"github.com/planec/planec/ir/diag"
)

// configMigrate is `planec config migrate`.
type configMigrate struct {
	streams *Streams
	output  string
}

func newConfigMigrate(s *Streams) *cobra.Command {
	c := &configMigrate{streams: s}
	cmd := &cobra.Command{
		Use:   "migrate FILE",
		Short: "Write a NodeConfig from a configuration of kube-proxy",
		Long: `migrate reads a KubeProxyConfiguration, alone or in its ConfigMap, and writes the
NodeConfig of the same settings. Comments say where each comes from, which flags
planec-agent needs, and what is not carried over.`,
		Example: `  planec config migrate kube-proxy.yaml -o node.yaml
  kubectl get configmap -n kube-system kube-proxy -o yaml | planec config migrate -`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.run(args[0]) },
	}
	cmd.Flags().StringVarP(&c.output, "output", "o", "-", "file to write; - for stdout")
	return cmd
}

func (c *configMigrate) run(path string) error {
	text, err := readConfig(c.streams, path)
	if err != nil {
		return inputError(err)
	}
	config, diags, err := nodeconfig.Read(path, text)
	if err != nil {
		return inputError(err)
	}
	if kind := nodeconfig.Kind(text); kind != "KubeProxyConfiguration" {
		return inputError(fmt.Errorf("%s is a %s already", path, kind))
	}
	places := nodeconfig.PlacesOf(path, text)
	body, err := nodeconfig.Text(&config, func(s nodeconfig.Setting) string {
		at := places[s.Name]
		return fmt.Sprintf("%s, line %d", at.Path, at.Line)
	})
	if err != nil {
		return systemError(err)
	}
	(&printer{out: c.streams.Err, color: c.streams.ErrColor}).print(diags)
	var b bytes.Buffer
	for _, line := range migration(path, &config, diags) {
		fmt.Fprintf(&b, "# %s\n", diag.Printable(line))
	}
	b.Write(body)
	if c.output == "-" {
		_, err := b.WriteTo(c.streams.Out)
		return written(err)
	}
	if _, err := os.Lstat(c.output); err == nil {
		return inputError(fmt.Errorf("%s exists already: it is not written over", c.output))
	} else if !errors.Is(err, os.ErrNotExist) {
		return systemError(err)
	}
	if err := os.WriteFile(c.output, b.Bytes(), 0o644); err != nil {
		return systemError(err)
	}
	return nil
}

// migration says what a NodeConfig cannot: the flags of the agent, and what is not carried
// over.
func migration(path string, c *nodeconfig.NodeConfig, diags diag.List) []string {
	p := &c.Proxy
	lines := []string{"From " + path + ", a KubeProxyConfiguration of mode " + modeText(p.Mode) + "."}
	for _, f := range []struct{ flag, value string }{
		{"backend", p.Mode}, {"healthz-bind-address", p.HealthzBindAddress}, {"metrics-bind-address", p.MetricsBindAddress}, {"kubeconfig", p.Kubeconfig},
	} {
		if f.value != "" {
			lines = append(lines, "planec-agent needs --"+f.flag+" "+f.value)
		}
	}
	if n := c.Config.NodePortAddresses; p.Mode != "nftables" && !n.Primary && len(n.CIDRs) == 0 {
		lines = append(lines, "nodePortAddresses is not set: kube-proxy serves nodePorts on all addresses in this mode, planec on those of the Node; nodePortAddresses: [all] keeps it")
	}
	if p.EnableProfiling {
		lines = append(lines, "planec-agent needs --profiling")
	}
	for _, d := range diags {
		text := strings.Replace(d.Message, "for planec-agent only:", "planec-agent takes these from the KubeProxyConfiguration alone (--config), and else its defaults:", 1)
		if d.Code == diag.DeprecatedMode {
			text += " is deprecated in kube-proxy"
		}
		lines = append(lines, fmt.Sprintf("%s (line %d)", text, d.Origin.Line))
	}
	return lines
}

func modeText(mode string) string {
	if mode == "" {
		return `"" (iptables on Linux; planec's default backend is nftables)`
	}
	return mode
}
