package objects

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Endpoints is an object of the kind that preceded EndpointSlice, with the fields that are
// read. The compiler ignores it: internal/input/synth makes the slices that a cluster would
// make from it.
type Endpoints struct {
	metav1.ObjectMeta `json:"metadata"`
	Subsets           []EndpointSubset `json:"subsets"` // as in the API object; only ready addresses get traffic
}

// EndpointSubset is a set of addresses with the same ports.
type EndpointSubset struct {
	Addresses         []EndpointAddress `json:"addresses"`         // ready addresses
	NotReadyAddresses []EndpointAddress `json:"notReadyAddresses"` // addresses without new connections
	Ports             []struct {        // the ports of all addresses of the subset
		Name     string          `json:"name"`     // the name that slices get, "" for an only port
		Port     int32           `json:"port"`     // 1 to 65535
		Protocol corev1.Protocol `json:"protocol"` // TCP, UDP or SCTP
	} `json:"ports"`
}

// EndpointAddress is the address of an endpoint.
type EndpointAddress struct {
	IP       string  `json:"ip"`       // as written; it may be invalid
	NodeName *string `json:"nodeName"` // the node of the endpoint's pod; nil means unknown
}
