package objects

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Endpoints is an object of the kind that came before EndpointSlice, as far as it is
// read. The compiler does not read it: internal/input/synth makes the slices that a cluster
// makes of it.
type Endpoints struct {
	metav1.ObjectMeta `json:"metadata"`
	Subsets           []EndpointSubset `json:"subsets"` // those of the API object, of which only ready ones get traffic
}

// EndpointSubset is addresses that have the same ports.
type EndpointSubset struct {
	Addresses         []EndpointAddress `json:"addresses"`         // the ready ones
	NotReadyAddresses []EndpointAddress `json:"notReadyAddresses"` // those that get no new connections
	Ports             []struct {        // the ports of all addresses of the subset
		Name     string          `json:"name"`
		Port     int32           `json:"port"`
		Protocol corev1.Protocol `json:"protocol"`
	} `json:"ports"`
}

// EndpointAddress is where an endpoint is.
type EndpointAddress struct {
	IP       string  `json:"ip"`       // as it is written: it may be no address
	NodeName *string `json:"nodeName"` // the node of the endpoint's pod; nil is unknown
}
