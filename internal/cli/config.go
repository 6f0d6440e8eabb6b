package cli

import "github.com/spf13/cobra"

func newConfig(s *Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show, check and migrate the settings of a node",
		Long: `config is about the settings of a node that no object of the cluster has: a NodeConfig,
or a configuration of kube-proxy, which all commands read by --config.`,
		Example: `  planec config view --config node.yaml
  planec config validate node.yaml
  kubectl get configmap -n kube-system kube-proxy -o yaml | planec config migrate -`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigView(s), newConfigValidate(s), newConfigMigrate(s))
	return cmd
}
