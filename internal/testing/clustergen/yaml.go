package clustergen

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// YAML writes the cluster in the format of `kubectl get
// nodes,services,endpointslices -A -o yaml`.
func YAML(w io.Writer, size Size) error {
	out := bufio.NewWriterSize(w, 64<<10)
	fmt.Fprint(out, "apiVersion: v1\nitems:\n")
	for i := range size.nodes() {
		fmt.Fprintf(out, replaceUID(nodeYAML, "%012[3]d"), nodeName(i), zoneOf(i), i+1, podCIDR(i), nodeIP(i))
	}
	for i := range size.Services {
		s := size.service(i)
		fmt.Fprintf(out, replaceUID(serviceYAML, "%012[3]d"), s.name, s.namespace, i+1, s.clusterIP)
	}
	for i := range size.Services {
		writeSliceYAML(out, size.service(i))
	}
	fmt.Fprint(out, "kind: List\nmetadata:\n  resourceVersion: \"\"\n")
	return out.Flush()
}

// replaceUID replaces the number in uids by the given verb.
func replaceUID(text, verb string) string { return strings.ReplaceAll(text, "%012d", verb) }

const nodeYAML = `- apiVersion: v1
  kind: Node
  metadata:
    annotations:
      node.alpha.kubernetes.io/ttl: "0"
    creationTimestamp: "` + created + `"
    labels:
      kubernetes.io/hostname: %[1]s
      kubernetes.io/os: linux
      topology.kubernetes.io/zone: %[2]s
    name: %[1]s
    resourceVersion: "%[3]d"
    uid: ` + uid + `
  spec:
    podCIDR: %[4]s
    podCIDRs:
    - %[4]s
  status:
    addresses:
    - address: %[5]s
      type: InternalIP
    - address: %[1]s
      type: Hostname
    capacity:
      cpu: "8"
      memory: 32788532Ki
      pods: "110"
`

const serviceYAML = `- apiVersion: v1
  kind: Service
  metadata:
    annotations:
      kubectl.kubernetes.io/last-applied-configuration: |
        {"apiVersion":"v1","kind":"Service","metadata":{"annotations":{},"name":"%[1]s","namespace":"%[2]s"},"spec":{"ports":[{"name":"http","port":80,"targetPort":8080}],"selector":{"app":"%[1]s"}}}
    creationTimestamp: "` + created + `"
    labels:
      app: %[1]s
    name: %[1]s
    namespace: %[2]s
    resourceVersion: "%[3]d"
    uid: ` + uid + `
  spec:
    clusterIP: %[4]s
    clusterIPs:
    - %[4]s
    internalTrafficPolicy: Cluster
    ipFamilies:
    - IPv4
    ipFamilyPolicy: SingleStack
    ports:
    - name: http
      port: 80
      protocol: TCP
      targetPort: 8080
    selector:
      app: %[1]s
    sessionAffinity: None
    type: ClusterIP
  status:
    loadBalancer: {}
`

const endpointYAML = `  - addresses:
    - %[1]s
    conditions:
      ready: true
      serving: true
      terminating: false
    nodeName: %[2]s
    targetRef:
      kind: Pod
      name: %[3]s
      namespace: %[4]s
      uid: ` + uid + `
    zone: %[6]s
`

const sliceTailYAML = `  kind: EndpointSlice
  metadata:
    annotations:
      endpoints.kubernetes.io/last-change-trigger-time: "` + created + `"
    creationTimestamp: "` + created + `"
    generateName: %[1]s-
    generation: 3
    labels:
      app: %[1]s
      endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io
      kubernetes.io/service-name: %[1]s
    name: %[2]s
    namespace: %[3]s
    ownerReferences:
    - apiVersion: v1
      blockOwnerDeletion: true
      controller: true
      kind: Service
      name: %[1]s
      uid: ` + uid + `
    resourceVersion: "%[4]d"
    uid: ` + uid + `
  ports:
  - name: http
    port: 8080
    protocol: TCP
`

func writeSliceYAML(w io.Writer, s service) {
	fmt.Fprint(w, "- addressType: IPv4\n  apiVersion: discovery.k8s.io/v1\n  endpoints:\n")
	text := replaceUID(endpointYAML, "%012[5]d")
	for i := range s.endpoints {
		e := s.endpoint(i)
		fmt.Fprintf(w, text, e.address, e.node, e.pod, s.namespace, s.endpointN+i, e.zone)
	}
	fmt.Fprintf(w, replaceUID(sliceTailYAML, "%012[4]d"), s.name, s.slice, s.namespace, s.index+1)
}
