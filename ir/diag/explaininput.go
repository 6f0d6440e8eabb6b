package diag

// aboutInput explains the codes of reading: PLC00xx.
var aboutInput = map[Code]Explanation{
	BadDocument: {
		"The text is no YAML or JSON from some line on, so nothing is known of the objects in it. Rules made without them would lack Services and policies, which is why every command but lint refuses such input unless it has --keep-going.",
		"metadata: {name: web\nspec: {}",
	},
	BadObject: {
		"The document can be read, and a field of it has a value that its kind does not allow, or stands twice. kubectl refuses the object, too, so the cluster does not have it.",
		"kind: Service\nspec: {ports: [{port: eighty}]}",
	},
	UnknownField: {
		"`kubectl apply` refuses the object, since its validation is strict by default, and a client that is less strict drops the field: either way it does nothing. A misspelt field is one that is missing.",
		"kind: Service\nspec:\n  port: [{port: 80}]        # ports",
	},
	UnknownPolicyField: {
		"What is left of a policy without one of its fields mostly allows more: without `from`, a rule allows every source. So nothing of its rules is used until the field is corrected, and what it selects is closed.",
		"kind: NetworkPolicy\nspec:\n  podSelector: {}\n  ingress:\n  - form: [{podSelector: {}}]        # from",
	},
	UnreadPolicy: {
		"Another engine enforces the policy in the cluster, or none does. What planec says is allowed may be denied by it, and rules that planec makes do not enforce it.",
		"apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy",
	},
	MisnamedKind: {
		"No API server knows the object, so it does nothing, and nothing says so before it is applied.",
		"apiVersion: networking.k8s.io/v1\nkind: NetworkPolcy",
	},
	PatchFile: {
		"A patch has the kind and the name of the object that it changes or deletes. Read as an object it would take the object's place.",
		"$patch: delete\nkind: Service\nmetadata: {name: web}",
	},
	UnrenderedChart: {
		"Templates become objects with the values of a release. Which objects that are, and with which names and labels, the chart alone does not say.",
		"helm template ./chart --namespace shop | planec lint --synth -f -",
	},
	UnbuiltKustomization: {
		"The kustomization gives its objects another namespace, other names or labels, or patches them; or it takes some from outside of the given directory or from elsewhere. Read as they are, a policy or a Service would select other pods than in the cluster, and patches would be objects; what lies elsewhere is not read at all. With -R the files that it changes are left out; in a directory that is given without -R they are read, as kubectl -f does.",
		"planec lint --synth -k overlays/prod",
	},
	OtherFile: {
		"Build tools and editors have files with the names of manifests in formats that are nearly JSON or YAML. This one has neither apiVersion nor kind in it. A file that is named on the command line is never taken for one of these.",
		"tsconfig.json        # with comments",
	},
	UnusedSettings: {
		"Manifests may come from the author of a proposed change, and settings decide what the check of it says: which externalIPs are served, which pods are local. So they are read only where --config names them, and never because they lie in a directory.",
		"planec lint -f manifests/ --config manifests/node.yaml",
	},
	SkippedKinds: {
		"Most kinds say nothing about the network of Services and policies. They are counted so that a kind which was meant to be read does not go missing in silence.",
		"kind: ConfigMap",
	},
	DuplicateObject: {
		"Which of the two a cluster has depends on the order in which they are applied. All commands use the same one, whatever the order of files is, but one of the two is not what runs.",
		"# a.yaml and b.yaml\nkind: Service\nmetadata: {namespace: shop, name: web}",
	},
	UnnamedObject: {
		"Without a valid name the API server refuses the object, and nothing could tell it from others.",
		"kind: Service\nmetadata: {name: Web_1}",
	},
	BadUTF8: {
		"YAML and JSON are Unicode. A file in another encoding, or one that is no text, would be read as other names than its author sees.",
		"# saved as Latin-1\nname: café",
	},
	EmptyInput: {
		"A path that is wrong, or a pipe that broke, looks like a cluster without Services. Most commands refuse such input unless it has --allow-empty.",
		"planec lint -f manifests/        # all files are below manifests/base: use -R",
	},
	UnsupportedKind: {
		"The kind would be read in another version. Until the object is converted it does nothing, which for a policy means that it protects nothing.",
		"apiVersion: extensions/v1beta1\nkind: NetworkPolicy",
	},
	SkippedFile: {
		"A link that leads nowhere, a pipe, a socket or a directory has a manifest's name. Waiting for it could last for ever, so it is left out.",
		"web.yaml -> /nowhere",
	},
	UnreadFile: {
		"The agent cannot open the file, so it does not know what it says. What it said before stays in force, since an unreadable file must not take Services away.",
		"chmod 0 /etc/planec/manifests/web.yaml",
	},
	OpenFile: {
		"Half a file is often valid YAML with half of the objects. The agent waits until the writer has closed it.",
		"cat > /etc/planec/manifests/web.yaml",
	},
	UnreadKind: {
		"The API server refuses to list a kind for the agent, mostly for lack of rights. The agent applies nothing until it has listed every kind once.",
		"networkpolicies.networking.k8s.io is forbidden: User \"planec\" cannot list",
	},
	UnreadInput: {
		"The file is there and cannot be read; everything that it says is missing.",
		"planec lint -f secret.yaml       # of another user",
	},
}
