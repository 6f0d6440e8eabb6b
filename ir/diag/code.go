package diag

// Code names a kind of diagnostic. Codes are stable and never reused. PLC00xx is about
// reading files, PLC01xx Services, PLC02xx EndpointSlices, PLC03xx nodes, PLC04xx
// configuration, PLC05xx backends, PLC06xx policies, PLC07xx objects that synth makes and
// findings that only lint looks for, PLC082x names in DNS,
// PLC083x announcements.
type Code string

// CodeInfo is the documentation of a code.
type CodeInfo struct {
	Code     Code     // the code, "PLC" with four digits; it is stable
	Severity Severity // the severity of every finding with the code
	// Title names in a few words what was found.
	Title string
	// Hint says what the user can do.
	Hint string
}

// The codes.
const (
	BadDocument            Code = "PLC0001"
	BadObject              Code = "PLC0002"
	SkippedKinds           Code = "PLC0003"
	DuplicateObject        Code = "PLC0004"
	UnnamedObject          Code = "PLC0005"
	BadUTF8                Code = "PLC0006"
	EmptyInput             Code = "PLC0007"
	UnsupportedKind        Code = "PLC0008"
	SkippedFile            Code = "PLC0009"
	UnreadFile             Code = "PLC0010"
	OpenFile               Code = "PLC0011"
	UnreadKind             Code = "PLC0012"
	UnreadInput            Code = "PLC0013"
	UnknownField           Code = "PLC0014"
	UnknownPolicyField     Code = "PLC0015"
	UnreadPolicy           Code = "PLC0016"
	MisnamedKind           Code = "PLC0017"
	PatchFile              Code = "PLC0018"
	UnrenderedChart        Code = "PLC0020"
	UnbuiltKustomization   Code = "PLC0021"
	OtherFile              Code = "PLC0022"
	BadServiceIP           Code = "PLC0101"
	BadServicePort         Code = "PLC0102"
	BadSourceRange         Code = "PLC0103"
	ClaimedFrontend        Code = "PLC0104"
	BadAffinity            Code = "PLC0105"
	BadExternalIP          Code = "PLC0106"
	BadIngressIP           Code = "PLC0107"
	SourceRangeFamily      Code = "PLC0108"
	BadHealthPort          Code = "PLC0109"
	BadPolicy              Code = "PLC0110"
	NoClusterIP            Code = "PLC0111"
	DeniedExternalIP       Code = "PLC0112"
	FrontendBudget         Code = "PLC0113"
	EndpointBudget         Code = "PLC0114"
	BadPool                Code = "PLC0131"
	PoolConflict           Code = "PLC0132"
	PoolExhausted          Code = "PLC0133"
	NoPool                 Code = "PLC0134"
	RefusedAddress         Code = "PLC0135"
	RefusedSharing         Code = "PLC0136"
	BadAddressRequest      Code = "PLC0137"
	ForeignAddress         Code = "PLC0138"
	BadBGP                 Code = "PLC0141"
	BGPConflict            Code = "PLC0142"
	BGPPassword            Code = "PLC0143"
	BGPUndone              Code = "PLC0144"
	BadClusterAffinity     Code = "PLC0151"
	BadImport              Code = "PLC0152"
	UnservedImport         Code = "PLC0153"
	NoImport               Code = "PLC0154"
	ClusterOverlap         Code = "PLC0155"
	BadEndpoint            Code = "PLC0201"
	DuplicateEndpoint      Code = "PLC0202"
	OrphanSlice            Code = "PLC0203"
	BadSlicePort           Code = "PLC0204"
	BadAddressType         Code = "PLC0205"
	UnknownNode            Code = "PLC0301"
	NodeWithoutIP          Code = "PLC0302"
	BadNodeIP              Code = "PLC0303"
	NoDetector             Code = "PLC0304"
	BadNodeCIDR            Code = "PLC0305"
	BadServiceCIDR         Code = "PLC0306"
	NoNodes                Code = "PLC0307"
	PodCIDRClash           Code = "PLC0321"
	UnroutableCIDR         Code = "PLC0322"
	UnroutedNode           Code = "PLC0323"
	OutsideSubnet          Code = "PLC0324"
	PodRouteLimit          Code = "PLC0325"
	NodeAddressClash       Code = "PLC0326"
	MasqueradedPods        Code = "PLC0327"
	ForeignRoute           Code = "PLC0328"
	NoSubnet               Code = "PLC0329"
	LoopbackNodePort       Code = "PLC0401"
	IgnoredSetting         Code = "PLC0402"
	DeprecatedMode         Code = "PLC0403"
	NetworkServes          Code = "PLC0404"
	MarkCollision          Code = "PLC0405"
	UnknownNetwork         Code = "PLC0406"
	NetworkFound           Code = "PLC0407"
	NoNetworkFound         Code = "PLC0408"
	UnreadNetwork          Code = "PLC0409"
	NotExpressible         Code = "PLC0501"
	Approximated           Code = "PLC0502"
	KernelRefused          Code = "PLC0503"
	Unserved               Code = "PLC0504"
	KeptVersion            Code = "PLC0505"
	NothingToServe         Code = "PLC0506"
	RefusedPolicy          Code = "PLC0601"
	UnknownPeer            Code = "PLC0602"
	DomainNames            Code = "PLC0603"
	EqualPriority          Code = "PLC0604"
	UnknownNamedPort       Code = "PLC0605"
	SharedPodIP            Code = "PLC0606"
	BadPodIP               Code = "PLC0607"
	NoNamespace            Code = "PLC0608"
	HostNetworkPod         Code = "PLC0609"
	OpenPodRange           Code = "PLC0610"
	PolicyBudget           Code = "PLC0611"
	TooManyToCompare       Code = "PLC0612"
	NoSuchBackend          Code = "PLC0640"
	NoSuchBackendPort      Code = "PLC0641"
	UnusedSettings         Code = "PLC0642"
	UnknownTier            Code = "PLC0660"
	RefusedCalico          Code = "PLC0661"
	HostPolicy             Code = "PLC0662"
	HTTPMatch              Code = "PLC0663"
	PolicyServiceNobody    Code = "PLC0664"
	PolicyServiceNamespace Code = "PLC0665"
	EmptyServiceAccounts   Code = "PLC0666"
	CalicoOrder            Code = "PLC0667"
	RefusedCIDRGroup       Code = "PLC0680"
	UnseenEntity           Code = "PLC0681"
	ProxyRule              Code = "PLC0682"
	NoDomain               Code = "PLC0683"
	CloudGroup             Code = "PLC0684"
	NoService              Code = "PLC0685"
	OpenQuirk              Code = "PLC0686"
	CiliumOption           Code = "PLC0687"
	NodePolicy             Code = "PLC0688"
	FilteredLabel          Code = "PLC0689"
	NoCIDRGroup            Code = "PLC0690"
	EmptyRule              Code = "PLC0691"
	OtherNamespace         Code = "PLC0692"
	SynthLimit             Code = "PLC0701"
	SynthRangeFull         Code = "PLC0702"
	SelectsNothing         Code = "PLC0711"
	PodsElsewhere          Code = "PLC0712"
	NoSuchTargetPort       Code = "PLC0713"
	NodePortClash          Code = "PLC0714"
	IdleSourceRange        Code = "PLC0715"
	LocalNowhere           Code = "PLC0716"
	PeerNobody             Code = "PLC0721"
	PeerElsewhere          Code = "PLC0722"
	EmptyBlock             Code = "PLC0723"
	CoveredRule            Code = "PLC0724"
	IdlePolicy             Code = "PLC0725"
	UnreachableRule        Code = "PLC0726"
	BlocksDNS              Code = "PLC0727"
	NoSuchPolicyPort       Code = "PLC0728"
	VIPInServiceRange      Code = "PLC0731"
	VIPOfNode              Code = "PLC0732"
	VIPOfAPIServer         Code = "PLC0733"
	VIPOfService           Code = "PLC0734"
	VIPOfPod               Code = "PLC0735"
	NoSlicePort            Code = "PLC0736"
	OutsideClusterCIDR     Code = "PLC0737"
	TakenEndpoint          Code = "PLC0738"
	EndpointIsClusterIP    Code = "PLC0739"
	HealthPortIsNodePort   Code = "PLC0740"
	FamilyWithoutEndpoints Code = "PLC0741"
	NothingBehind          Code = "PLC0742"
	FurtherAddresses       Code = "PLC0743"
	PolicyServiceIP        Code = "PLC0744"
	PolicyServicePort      Code = "PLC0745"
	UnenforcedRules        Code = "PLC0746"
	RuleOfNoFamily         Code = "PLC0747"
	BlockOfNoFamily        Code = "PLC0748"
	UnknownIgnored         Code = "PLC0749"
	MirroredEndpoints      Code = "PLC0750"
	EngineBlock            Code = "PLC0751"
	EngineLabel            Code = "PLC0752"
	EngineBaseline         Code = "PLC0753"
	EnginePort             Code = "PLC0754"
	EngineShared           Code = "PLC0755"
	NoDNSRecord            Code = "PLC0820"
	BadAnnouncement        Code = "PLC0830"
	BGPNotLoaded           Code = "PLC0831"
	FQDNLimit              Code = "PLC0832"
)

// Info returns the documentation of the code; an unknown code is an error
// without a hint.
func (c Code) Info() CodeInfo {
	for _, info := range codes {
		if info.Code == c {
			return info
		}
	}
	return CodeInfo{Code: c, Severity: Error}
}

// LeavesOut reports whether a finding of the code means that part of the input was not
// used: every error, and unread objects that may be meant to count. The flag --strict
// fails on these.
func (c Code) LeavesOut() bool {
	switch c {
	case UnsupportedKind, UnreadPolicy, MisnamedKind:
		return true
	}
	return c.Info().Severity == Error
}

// Codes lists the documentation of every code, in order.
func Codes() []CodeInfo { return append([]CodeInfo(nil), codes...) }

var codes = []CodeInfo{
	{BadDocument, Error, "a document that cannot be read", "correct the syntax; the rest of the file was still read where its documents can be told apart"},
	{BadObject, Error, "an object whose fields have the wrong type", "compare it with `kubectl explain`; the object was left out"},
	{SkippedKinds, Info, "objects of kinds that planec does not use", "nothing to do; of Deployments and other workloads, --synth makes pods"},
	{DuplicateObject, Error, "one object is given twice with different content", "remove one of them, or give what belongs to one cluster only; the older was kept, and where neither is older the one whose content sorts first, the same for all objects of one directory and file"},
	{UnnamedObject, Error, "an object without a valid name or namespace", "give it a name that the API server would accept; the object was left out"},
	{BadUTF8, Error, "a file that is not UTF-8", "save it as UTF-8"},
	{EmptyInput, Warning, "no object that planec uses was found", "check the paths; -R searches below directories, -k builds a kustomization, and --synth makes pods and slices of workloads"},
	{UnsupportedKind, Warning, "a kind planec will use, in a version that it does not read", "convert it to the version in the message, as `kubectl convert` does"},
	{SkippedFile, Warning, "an entry of a directory that has a manifest's name and is no file", "remove it, or put a regular file there; the rest of the directory was read"},
	{UnreadFile, Error, "a file or a directory of the agent's that it cannot read", "make it readable to planec-agent, or remove it; the objects that it had before stay, and an agent that starts applies nothing until it has been read"},
	{OpenFile, Warning, "a file of the agent's that another process has open for writing", "end the writer, or write a new file and rename it over this one; the objects that it had before stay, and an agent that starts applies nothing until it has been read"},
	{UnreadKind, Error, "a kind of objects that the API server does not list for the agent", "look at the reason, and at the rights in deploy/rbac.yaml and deploy/rbac-policies.yaml; what was listed before stays, and an agent that starts applies nothing until every kind was listed"},
	{UnreadInput, Error, "a file that cannot be read", "make it readable; with --keep-going it was left out, and everything that it says is missing"},
	{UnknownField, Error, "a field that the API does not have", "correct its name, or remove it: `kubectl apply` refuses it too; the rest of the object was used"},
	{UnknownPolicyField, Error, "a policy with a field that the API does not have", "correct its name, or remove it: `kubectl apply` refuses it too; without the field the policy would mean something else, so nothing of its rules was used"},
	{UnreadPolicy, Warning, "a policy of a kind that planec does not read", "planec enforces nothing of it, and shows what it denies as allowed: write it as a NetworkPolicy or a ClusterNetworkPolicy, or mind it when reading the results"},
	{MisnamedKind, Warning, "a kind that is nearly one that planec reads", "correct apiVersion and kind; the object was left out"},
	{PatchFile, Warning, "a patch of kustomize, which is no object", "give what it makes: kustomize build DIR | planec lint -f -"},
	{UnrenderedChart, Info, "a chart of Helm, whose templates are no objects yet", "give what it makes: helm template CHART | planec lint -f -"},
	{UnbuiltKustomization, Info, "a kustomization that is not built", "give what it makes: -k DIR, in diff --build, or kustomize build DIR | planec lint -f -"},
	{OtherFile, Info, "a file found in a directory that is no manifest", "nothing, or --exclude it"},
	{BadServiceIP, Error, "a ClusterIP that is not an IP address", "write a plain IPv4 or IPv6 address; the address was left out"},
	{BadServicePort, Error, "a Service port that the API server would refuse", "ports are 1 to 65535, protocols TCP, UDP or SCTP, names unique; the port was left out"},
	{BadSourceRange, Error, "a loadBalancerSourceRange that is not a CIDR", "write ranges as 192.0.2.0/24; until then the Service has no load-balancer frontends, since serving everyone would be a hole"},
	{ClaimedFrontend, Warning, "two Services claim one address, protocol and port", "give one of them another address or port; a ClusterIP goes before what others list, and the older Service before the younger"},
	{BadAffinity, Error, "a session affinity that the API server would refuse", "timeoutSeconds is 1 to 86400; the Service is compiled without affinity"},
	{BadExternalIP, Error, "an externalIP that is not usable", "write a plain address, not loopback, link-local or unspecified; the address was left out"},
	{BadIngressIP, Error, "a load-balancer address that is not usable", "status.loadBalancer.ingress[].ip takes a plain address; the address was left out"},
	{SourceRangeFamily, Warning, "source ranges of one family only, on a Service with load-balancer addresses of both", "add ranges of the other family; without any, that family is open to everyone, as Kubernetes defines it"},
	{BadHealthPort, Error, "a healthCheckNodePort that is not usable", "ports are 1 to 65535 and belong to one Service; the check was left out"},
	{BadPolicy, Error, "a traffic policy with an unknown value", "traffic policies are Cluster or Local; the Service was left out"},
	{NoClusterIP, Info, "a Service without a ClusterIP, which only a cluster can give", "compile a dump of the cluster, or write spec.clusterIP"},
	{DeniedExternalIP, Warning, "an externalIP that the setting external-ips does not allow", "remove it, or add its range to --external-ips; the address was left out"},
	{FrontendBudget, Error, "a Service with more addresses, ports and source ranges than are served", "divide it into several Services; until then its ClusterIP refuses connections, and nothing else of it is served"},
	{EndpointBudget, Error, "a Service with more endpoints on all ports than are served", "divide it into several Services; until then it has no endpoints and refuses connections"},
	{BadPool, Error, "a part of a pool of addresses that is not usable", "write networks as 192.0.2.0/24 and ranges as 192.0.2.10-192.0.2.20, of one family, without loopback, link-local and multicast addresses; the part was left out"},
	{PoolConflict, Warning, "a pool of addresses that overlaps another one, or itself", "take the common addresses out of one of them; until then the younger pool gives no new address, and Services keep what they have of it"},
	{PoolExhausted, Warning, "a Service of type LoadBalancer for which no address is free", "add addresses to a pool that selects the Service, or remove Services"},
	{NoPool, Warning, "a Service of type LoadBalancer that no pool is for", "change a pool's selector or the Service's labels, families or annotations; planec addresses says which pool has what"},
	{RefusedAddress, Warning, "a load-balancer address that a Service asks for and does not get", "ask for a free address of a pool that selects the Service, or for none"},
	{RefusedSharing, Warning, "Services that ask for one address and cannot share it", "give them the same sharing key, different ports, and the same externalTrafficPolicy; with Local, the same selector too"},
	{BadAddressRequest, Error, "a load-balancer address that a Service asks for and that is not an address", "write plain addresses, with commas between; until then the Service keeps what it has, and gets nothing new"},
	{ForeignAddress, Info, "a Service whose load-balancer address another controller has written", "nothing, if that controller is to go on; otherwise clear status.loadBalancer, or add the address to a pool"},
	{BadBGP, Error, "an object of BGP with something that cannot be", "correct what the message says; it was left out, and all else of the object is used"},
	{BGPConflict, Warning, "objects of BGP that contradict each other", "remove one of them, or make them agree: the older object decides, and of local preferences the highest"},
	{BGPPassword, Warning, "a BGP neighbor whose password planec does not write", "write it into FRR's configuration after planec, or give password in the BGPPeer and --bgp-passwords; without it the session does not come up"},
	{BGPUndone, Warning, "something of BGP that an FRR configuration cannot say, or that planec does not do", "see docs/announcing.md for what is announced"},
	{BadClusterAffinity, Warning, "an affinity to clusters that is none", "write local, remote or none; until then the endpoints of all clusters serve alike"},
	{BadImport, Error, "a ServiceImport that is not usable", "spec.type is ClusterSetIP or Headless, spec.ips has at most one plain address of each family; what is wrong was left out"},
	{UnservedImport, Info, "a ServiceImport with an address that planec does not serve", "name its network in serviceImportCIDR; where an implementation derives a Service of the import, that is served, and there is nothing to do"},
	{NoImport, Info, "a Service that another cluster exports, and that is not imported", "add the ServiceImport that the mesh would make, with its address, or leave it at that"},
	{ClusterOverlap, Warning, "two clusters have the same networks of pods", "give each cluster a range of its own: an address that two pods have is one pod for policies and Services"},
	{BadEndpoint, Error, "an endpoint address that is not usable", "addresses must be plain IPs of the slice's addressType; the endpoint was left out"},
	{DuplicateEndpoint, Warning, "an endpoint that stands in two slices", "usually temporary, while slices are rebuilt; the copy that is not terminating was used, then the one that is ready"},
	{OrphanSlice, Info, "an EndpointSlice without a Service", "label it kubernetes.io/service-name, or give the Service too"},
	{BadSlicePort, Error, "an EndpointSlice port that is not usable", "ports are 1 to 65535, protocols TCP, UDP or SCTP; the port was left out"},
	{BadAddressType, Info, "an EndpointSlice of domain names, which no kernel can use", "nothing to do"},
	{UnknownNode, Error, "the node does not exist in the input", "check --node, or add the Node object; without one there are no nodePort addresses, topology hints or podCIDRs"},
	{NodeWithoutIP, Warning, "the node has no InternalIP or ExternalIP, so nodePorts are served nowhere", "add status.addresses to the Node, or use --nodeport-addresses or --local-address"},
	{BadNodeIP, Error, "a node address that is not an IP address", "write a plain address; it was left out"},
	{NoDetector, Warning, "local pods cannot be recognised", "give --cluster-cidr, or another --detect-local; until then, traffic of local pods is treated as if it came from outside"},
	{BadNodeCIDR, Error, "a podCIDR that is not a CIDR", "write podCIDRs as 10.244.1.0/24; it was left out"},
	{BadServiceCIDR, Error, "a ServiceCIDR that is not a CIDR", "write CIDRs as 10.96.0.0/16; it was left out"},
	{NoNodes, Warning, "the input has no Node objects", "add the Nodes; without them there are no nodePort addresses, topology hints or podCIDRs"},
	{PodCIDRClash, Error, "two nodes whose podCIDRs overlap", "give each node a podCIDR of its own; until then no route leads to the pods of the younger node"},
	{UnroutableCIDR, Error, "a podCIDR to which planec makes no route", "give the node a podCIDR of the cluster's range, with no node's address in it"},
	{UnroutedNode, Warning, "a node without a podCIDR or an address of the same family", "give the Node spec.podCIDRs and an InternalIP of each family; no route leads to its pods"},
	{OutsideSubnet, Error, "a node outside of the subnet, where routes need no encapsulation", "use --pod-routes auto, vxlan or geneve, or correct --pod-routes-subnets; no route leads to its pods"},
	{PodRouteLimit, Error, "more nodes than planec makes routes to", "use a network plugin that routes; no route leads to the youngest nodes"},
	{NodeAddressClash, Error, "two nodes with one address, or one MAC address in the pod network", "give each node an address, or a name, of its own; no route leads to the pods of the younger node"},
	{MasqueradedPods, Warning, "pods of other nodes would see the node's address instead of the pod's", "add the podCIDRs to nonMasqueradeCIDRs of the egress masquerade"},
	{ForeignRoute, Warning, "another program has a route to the pods of a node", "remove that route, or do not use --pod-routes; it was left as it is, and planec has none for these pods"},
	{NoSubnet, Warning, "pod routes of mode auto or auto-geneve without the node's subnets", "give --pod-routes-subnets; without them packets to every node are encapsulated"},
	{LoopbackNodePort, Warning, "nodePorts on loopback addresses are asked for", "the rules do not serve them; planec-agent forwards TCP on 127.0.0.1 and ::1; use the node's own address for UDP, SCTP and without the agent"},
	{IgnoredSetting, Info, "a setting that has no meaning for planec", "nothing to do"},
	{DeprecatedMode, Info, "a mode that kube-proxy is to lose", "choose nftables for a node that may go back to kube-proxy: Kubernetes 1.37 has its IPVS mode as deprecated; the backend of planec stays"},
	{NetworkServes, Warning, "a network plugin that serves Services itself", "switch that off in the plugin, as the message says, or leave its nodes to it: two proxies translate one connection, and either may win"},
	{MarkCollision, Warning, "a packet mark that the network plugin uses too", "give --masquerade-bit the bit that the message names; with backend ipvs, choose another backend"},
	{UnknownNetwork, Warning, "a network plugin that does not say how local pods are recognised", "give --detect-local as it is on the node: `planec cni NAME` says what is known; until then pods are recognised by --cluster-cidr"},
	{NetworkFound, Info, "the network plugin that was found on the node", "nothing, or name it with --cni NAME"},
	{NoNetworkFound, Warning, "no network plugin was found on the node", "look at `planec cni --detect`, and name the plugin with --cni NAME; until then the settings are those without a preset"},
	{UnreadNetwork, Warning, "a CNI configuration that cannot be read", "correct it or remove it: containerd stops at it, CRI-O and planec take the next file"},
	{NotExpressible, Error, "something that the backend cannot express", "choose another backend, or change the object; a Service refuses meanwhile, and a policy closes what it selects"},
	{Approximated, Warning, "something that the backend does a little differently", "read the backend's limits; another backend may do it exactly"},
	{KernelRefused, Error, "an object that the kernel refuses", "the kernel's words are in the message; a Service refuses meanwhile and a policy closes what it selects, everything else is applied, and the object is tried again"},
	{Unserved, Warning, "a port that the agent cannot listen on", "end the process that has the port (`ss -ltnp` names it), or bring the address up; the agent tries again, at growing intervals, at most 5 seconds"},
	{KeptVersion, Warning, "a file of the agent's that cannot be read as what it was any more", "correct the file; until then the objects of its last good version are served"},
	{NothingToServe, Error, "objects that leave the agent nothing to serve, while the kernel serves something", "bring the objects back, or start the agent with --allow-empty if nothing is to be served; until then the kernel's rules stay"},
	{RefusedPolicy, Error, "a policy that the API server would refuse", "correct the field in the message; the policy was left out, so it isolates nothing"},
	{UnknownPeer, Warning, "a peer of a kind that planec does not know", "such a peer fails closed: an Accept rule matches nothing by it, a Deny or Pass rule denies everything"},
	{DomainNames, Warning, "domain names in a policy, which no compiler can resolve", "the names are not enforced and fail closed: the rule accepts nothing by them; use networks"},
	{EqualPriority, Warning, "two policies of one tier and priority apply to one pod", "give them different priorities; until then the one whose name sorts first comes first"},
	{UnknownNamedPort, Info, "a named port that no pod of the rule has", "give a container port this name, with this protocol; the rule matches nothing by it"},
	{SharedPodIP, Warning, "two running pods have one address", "one of them is probably gone; the younger has the address now"},
	{BadPodIP, Error, "a pod's address that is not an IP address", "write plain addresses in status.podIPs; the address was left out"},
	{NoNamespace, Info, "a namespace without its object", "add the Namespace; until then it has no label but kubernetes.io/metadata.name"},
	{HostNetworkPod, Info, "a policy selects a pod on the host's network", "nothing to do; such pods are the node itself to every policy"},
	{OpenPodRange, Warning, "a range of pod addresses that fail-closed cannot close", "only IPv4 ranges of /20 and smaller are closed; a policy that denies everything in a namespace closes its pods in both families"},
	{PolicyBudget, Error, "a policy whose peers and ports make more rules than a node is given", "divide it, or write ranges and larger blocks; until then it fails closed: it isolates what it selects and accepts nothing"},
	{TooManyToCompare, Info, "policies of which not all were looked through for superfluous rules", "nothing to do; lint fewer policies at a time to see all such findings"},
	{NoSuchBackend, Warning, "an Ingress or a route names a Service that is not there", "correct the name or the namespace, or give the Service too; until then the controller has nowhere to send requests"},
	{NoSuchBackendPort, Warning, "an Ingress or a route names a port that its Service does not have", "write a number or a name of spec.ports of the Service; until then the controller has nowhere to send requests"},
	{UnusedSettings, Info, "settings of a node among the manifests, which are not used", "name the file with --config if its settings are to hold"},
	{UnknownTier, Error, "a policy of Calico in a tier that does not exist", "give the Tier, or name another one in spec.tier; the policy was left out, as Calico refuses it"},
	{RefusedCalico, Error, "a tier or a network set that Calico would refuse", "correct what the message says; the object was left out, and policies find nothing of it"},
	{HostPolicy, Warning, "a policy of Calico that is for hosts alone", "nothing enforces it: doNotTrack and preDNAT are about HostEndpoints, which planec does not have; remove it, or enforce it elsewhere"},
	{HTTPMatch, Warning, "a rule of Calico's that asks for HTTP requests", "no proxy looks at them: the rule allows the connection by all else that it says, as Calico does without its proxies"},
	{PolicyServiceNobody, Warning, "a rule of Calico's for a Service without endpoints", "check the name and the namespace; the rule matches nothing until the Service has EndpointSlices"},
	{PolicyServiceNamespace, Warning, "a rule of Calico's for a Service without a namespace", "write services.namespace: Calico looks for a Service without one, and finds none; a rule that allows opens nothing, and one that denies closes the Service of the policy's own namespace"},
	{EmptyServiceAccounts, Warning, "serviceAccounts of a rule of Calico's that ask for nothing", "give names or a selector: the rule is about everybody"},
	{CalicoOrder, Info, "NetworkPolicies of Kubernetes that Calico's policies come before or after", "nothing to do: with policies of Calico, a NetworkPolicy has order 1000 in the tier default, and its isolation is the end of that tier"},
	{RefusedCIDRGroup, Error, "a CiliumCIDRGroup that the API server would refuse", "correct what the message says; the group was left out, and has no networks"},
	{UnseenEntity, Warning, "an entity of Cilium's that objects of Kubernetes do not tell", "nothing to do if none of it needs to connect: health, init, ingress and unmanaged match nothing"},
	{ProxyRule, Warning, "a rule of Cilium's that a proxy or an authentication is to complete", "planec denies what the rule is about; --l7 allow accepts it without looking"},
	{NoDomain, Warning, "a DNS name of a policy without a known address", "give its addresses in the file of --fqdn-file, or have the agent learn them (--fqdn-listen); until then the name matches nothing"},
	{CloudGroup, Warning, "a group of a cloud's addresses in a policy of Cilium", "write the networks in a CiliumCIDRGroup; the group matches nothing"},
	{NoService, Warning, "a Service of a policy of Cilium that is not there or has no endpoints", "check the name and the namespace; until there are endpoints the entry matches nothing"},
	{OpenQuirk, Warning, "a rule by which Cilium does something else than is written", "write what is meant in a way that both read alike: planec takes the closed reading"},
	{CiliumOption, Warning, "an option of Cilium's agent that planec does not take, or that switches policies off", "see docs/policies/cilium.md for the options that are taken"},
	{NodePolicy, Warning, "a policy of Cilium about nodes, without the host firewall", "nothing enforces it; set enable-host-firewall in the ConfigMap kube-system/cilium-config, or remove the policy"},
	{FilteredLabel, Warning, "a label in a selector of Cilium's that its agent drops", "select by another label, or let the agent keep it with its option labels"},
	{NoCIDRGroup, Warning, "a CiliumCIDRGroup that does not exist or has no networks", "check the name or the labels; the entry matches nothing"},
	{EmptyRule, Warning, "a rule of Cilium's with neither peers nor ports", "write fromEntities or toEntities with all to allow everything; the rule allows nothing"},
	{OtherNamespace, Warning, "a CiliumNetworkPolicy that selects pods of another namespace", "put the policy into that namespace, or use a CiliumClusterwideNetworkPolicy"},
	{SynthLimit, Warning, "more pods than --synth makes", "at most 1000 are made of a workload and 200000 of all; give the Pods themselves"},
	{SynthRangeFull, Warning, "a range without a free place for something that --synth makes", "give a larger --cluster-cidr or --service-cidr, or larger podCIDRs; or write the address or port itself"},
	{SelectsNothing, Warning, "a selector of a Service or a policy that no pod has", "compare it with the labels of the pods' template; a Service then has no endpoints, a policy no effect"},
	{PodsElsewhere, Info, "a selector for pods that the input does not hold", "give the workloads too, if they are meant to be there"},
	{NoSuchTargetPort, Warning, "a targetPort by a name that none of the Service's pods has", "give a container port this name, with this protocol, or write the number; the Service port has no endpoints"},
	{NodePortClash, Warning, "two Services want one nodePort", "give one of them another nodePort; the API server refuses the second"},
	{IdleSourceRange, Warning, "source ranges without effect", "loadBalancerSourceRanges restrict the addresses of a LoadBalancer only, in their own family, and a range of everything restricts nothing"},
	{LocalNowhere, Warning, "a Local traffic policy while no node has an endpoint", "traffic is dropped on every node; give the endpoints a nodeName, or use Cluster"},
	{PeerNobody, Warning, "a peer of a policy that matches no pod", "compare the selectors with the labels of pods and namespaces; a missing dash joins two selectors into one peer, an extra dash makes two peers of one"},
	{PeerElsewhere, Info, "a peer of a policy that is not in the input", "give the namespaces and workloads too, if they are meant to be there"},
	{EmptyBlock, Warning, "an ipBlock whose exceptions leave nothing", "the peer matches no address; remove it or some of the exceptions"},
	{CoveredRule, Warning, "a rule or a peer that another of the same policy makes superfluous", "remove it, or find out whether the wider one is meant: often it is a rule without from, to or ports"},
	{IdlePolicy, Warning, "a policy that changes nothing beside another one", "policies only ever add: what the other one allows to the same pods stays allowed; remove this one, or narrow the other"},
	{UnreachableRule, Warning, "a rule that never decides, because an earlier one always does", "move it before the other, or give its policy a smaller priority or order; a deny of Cilium stands before all that allow"},
	{BlocksDNS, Warning, "pods that may connect out, but not to ask for names", "allow egress to the DNS pods on the port that they listen on, of UDP and TCP: 53, on OpenShift 5353"},
	{NoSuchPolicyPort, Warning, "a port of a policy by a name that none of its pods has", "give a container port this name, with this protocol, or write the number; the rule matches nothing by it"},
	{VIPInServiceRange, Warning, "an address from outside that lies in a range of ClusterIPs", "use an address outside of the range: the API server may give this one to another Service"},
	{VIPOfNode, Info, "an address from outside that is a node's", "connections to this port of the node go to the Service; use an address of its own where that is not meant"},
	{VIPOfAPIServer, Warning, "an address from outside that is the API server's", "use an address of its own: this one takes connections to the API server"},
	{VIPOfService, Warning, "an address from outside that is the ClusterIP of another Service", "remove it; a ClusterIP belongs to the Service that the API server gave it to, on every port, so others get nothing there"},
	{VIPOfPod, Warning, "an address from outside that is a pod's", "use an address of its own: this one takes connections to the pod"},
	{NoSlicePort, Warning, "slices whose endpoints no port of their Service has", "slices and Services are joined by the name and protocol of ports, an unnamed port by the empty name; give both the same"},
	{OutsideClusterCIDR, Warning, "pods outside of the ranges that pods are recognised by", "correct --cluster-cidr, or use --detect-local node-cidr, bridge or prefix; until then their traffic counts as if it came from outside"},
	{TakenEndpoint, Warning, "an address from outside that is an endpoint of another Service, on the same port", "use an address or a port of its own: this one takes the connections to that endpoint"},
	{EndpointIsClusterIP, Warning, "an endpoint that is a ClusterIP", "Kubernetes does not support that: give the endpoints of that Service instead"},
	{HealthPortIsNodePort, Warning, "a healthCheckNodePort that is a nodePort", "give one of them another port: the nodePort takes the load balancer's questions"},
	{FamilyWithoutEndpoints, Warning, "a Service with endpoints of one of its families only", "connections to the address of the other family are rejected: give the pods addresses of both, or the Service one family"},
	{NothingBehind, Warning, "a Service without a selector and without slices", "give it a selector, or EndpointSlices with the label kubernetes.io/service-name; of kind Endpoints a cluster makes slices, and so does --synth"},
	{FurtherAddresses, Warning, "an endpoint with more than one address", "only the first is used, by every proxy: make an endpoint of each"},
	{PolicyServiceIP, Warning, "a block of a policy that is a Service's address", "policies see the endpoint and not the Service, so the block matches nothing: select the pods behind the Service"},
	{PolicyServicePort, Warning, "a port of a policy that is a Service's and not its pods'", "policies see the pods' port: write the targetPort, or its name"},
	{UnenforcedRules, Warning, "rules of a NetworkPolicy for a direction that its policyTypes does not name", "add the direction to spec.policyTypes, or remove the rules: nothing enforces them"},
	{RuleOfNoFamily, Warning, "a rule for an address family that none of its pods has", "write blocks of the pods' family: the rule matches nothing"},
	{BlockOfNoFamily, Info, "a block of an address family that none of the pods has", "nothing to do where the policy is meant for clusters of both families; the block matches nothing here"},
	{UnknownIgnored, Warning, "a planec.io/ignore annotation with a word that is no code", "write codes with commas between, as planec.io/ignore: PLC0711,PLC0727; the word was passed over"},
	{MirroredEndpoints, Info, "an object of kind Endpoints, of which slices were made", "write EndpointSlices: kind Endpoints is deprecated, and only a cluster and --synth make slices of it"},
	{EngineBlock, Warning, "a block or a selector of nodes that Cilium reads in another way", "select the pods instead of their addresses; or set Cilium's policy-cidr-match-mode to nodes,pods, which lint reads in the ConfigMap cilium-config"},
	{EngineLabel, Warning, "a label in a policy of Kubernetes that Cilium drops", "select by another label, or have Cilium keep this one with its option labels"},
	{EngineBaseline, Warning, "a Baseline rule that opens with Cilium what a NetworkPolicy isolates", "write in a NetworkPolicy what is to be open, or let the Baseline policy be about other pods"},
	{EnginePort, Warning, "a named port that an engine reads in another way", "write the number, or give the name to one port of a container that is no init container"},
	{EngineShared, Info, "a NetworkPolicy beside a policy of another dialect for the same pods", "read both: by its own text the NetworkPolicy would decide alone; planec trace says which policy decides"},
	{NoDNSRecord, Warning, "a Service, port or endpoint without a DNS record", "correct what the message says; clients do not find it by its name"},
	{BadAnnouncement, Error, "an object that says what is announced on layer 2, with a part that is not understood", "correct what the message says; a wrong selector leaves the object out, a wrong interface only itself"},
	{BGPNotLoaded, Error, "FRR does not run what planec wrote for it", "do what the message says; planec tries again, and FRR goes on with what it ran before"},
	{FQDNLimit, Warning, "more addresses of DNS names than are kept", "make patterns of names in policies narrower; addresses without room stay closed until others end"},
}
