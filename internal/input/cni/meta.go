package cni

// metas are plugins that only call others.
func metas() []System { return []System{multus(), genie(), danm()} }

// metaBase is what they have in common: everything is the called plugin's.
func metaBase() System {
	return System{
		DetectLocal: Unknown, Egress: ByDelegate, Policy: ByDelegate, Services: DelegateServices, Sure: Read,
		Give: []string{"cni: the plugin that makes the pods' first interface (eth0)"},
	}
}

func multus() System {
	s := metaBase()
	s.Name, s.Title, s.Aliases = "multus", "Multus", []string{"multus-cni"}
	s.Why = "the plugin of the cluster's network makes eth0; detection follows clusterNetwork and the first delegate"
	s.Signs = Signs{
		Types: []string{"multus", "multus-shim"}, Files: []string{"00-multus"},
		DaemonSets: []string{"kube-multus-ds", "multus"}, Images: []string{"multus-cni"}, Fallback: true,
	}
	s.Sources = []string{github("k8snetworkplumbingwg/multus-cni", "docs/configuration.md"), github("k8snetworkplumbingwg/multus-cni", "docs/thick-plugin.md")}
	s.Doubts = []string{"Services go to the first interface only; planec, as kube-proxy, serves no others"}
	return s
}

func genie() System {
	s := metaBase()
	s.Name, s.Title, s.Aliases = "cni-genie", "CNI-Genie", []string{"genie"}
	s.Why = "an annotation of each pod, or default_plugin, names the plugin; detection follows a default_plugin with one name"
	s.Signs = Signs{Types: []string{"genie"}, Files: []string{"00-genie"}, Fallback: true}
	s.Sources = []string{github("cni-genie/CNI-Genie", "conf/1.8/genie-plugin.yaml")}
	s.Doubts = []string{"pods of one node may have different plugins: one value of detectLocal then holds for some of them only"}
	return s
}

func danm() System {
	s := metaBase()
	s.Name, s.Title = "danm", "DANM"
	s.Why = "objects of kind DanmNet, TenantNetwork and ClusterNetwork name the plugin; no file of the node does"
	s.Signs = Signs{Types: []string{"danm"}, Files: []string{"00-danm"}, DaemonSets: []string{"netwatcher"}, Fallback: true}
	s.Layouts = []string{IPVLAN}
	s.Sources = []string{github("nokia/danm", "integration/cni_config/00-danm.conf")}
	s.Doubts = []string{"its own IPVLAN networks pass no rules of the node"}
	return s
}
