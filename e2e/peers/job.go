package peers

import (
	"encoding/json"
	"fmt"
	"os"
)

// Engine is one mode of one of the two sides.
type Engine struct {
	Project string // planec or kube-proxy
	Mode    string // a backend's name
}

// The two sides.
const (
	Planec    = "planec"
	KubeProxy = "kube-proxy"
)

func (e Engine) String() string { return e.Project + " " + e.Mode }

// Peer is the mode of kube-proxy that a backend of planec is held against. It has none
// for eBPF, which is held against its fastest.
func (e Engine) Peer() Engine {
	if e.Mode == "ebpf" {
		return Engine{KubeProxy, "nftables"}
	}
	return Engine{KubeProxy, e.Mode}
}

// Engines are all of them, in the order of the tables.
func Engines() []Engine {
	return []Engine{
		{Planec, "nftables"},
		{KubeProxy, "nftables"},
		{Planec, "iptables"},
		{KubeProxy, "iptables"},
		{Planec, "ipvs"},
		{KubeProxy, "ipvs"},
		{Planec, "ebpf"},
	}
}

// Figures of an engine's process, as [Sample.Figure] names them.
const (
	First   = "first"
	Slice   = "slice"
	Nothing = "nothing"
	Event   = "event"
	Restart = "restart"
)

// Job is the work of one process.
type Job struct {
	Engine   Engine
	Services int // of five endpoints each
	// Policies makes it a node with so many policies of one pod, and no Services.
	Policies int
	// Restart finds the rules of a process before it, which changed one slice.
	Restart bool
	// State is a directory that outlives the process, as the agent's does.
	State string
	// Pins and Cgroup are where eBPF's maps and programs are.
	Pins, Cgroup string
}

// Sample is one measurement.
type Sample struct {
	Figure string  // one of the constants, or ready: the objects are there
	CPU    float64 // seconds of one operation
	Peak   float64 // of the process so far, MB
	Times  int     // operations that CPU is the mean of
}

const ready = "ready"

// variable has the job of a process that is the test binary once more.
const variable = "PLANEC_PEERS_JOB"

// samples is the file descriptor that a process writes its samples to.
const samples = 3

// Child does the job that the environment names, and ends the process. It returns if
// there is none.
func Child() {
	text := os.Getenv(variable)
	if text == "" {
		return
	}
	var j Job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		err = j.do(json.NewEncoder(os.NewFile(samples, "samples")))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
