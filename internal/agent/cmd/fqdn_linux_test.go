package cmd_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/encoding/protowire"
)

// resolver is a resolver that says by dnstap what it answered.
type resolver struct {
	*testing.T
	conn net.Conn
}

// resolver connects to the agent.
func (n *node) resolver(path string) *resolver {
	n.t.Helper()
	r := &resolver{T: n.t}
	n.wait("a socket", func() (ok bool) {
		var err error
		r.conn, err = net.Dial("unix", path)
		return err == nil
	})
	n.t.Cleanup(func() { r.conn.Close() })
	payload := binary.BigEndian.AppendUint32(nil, 2) // start
	r.send(append([]byte{0, 0, 0, 0, 0, 0, 0, byte(len(payload))}, payload...))
	return r
}

func (r *resolver) send(b []byte) {
	r.Helper()
	if _, err := r.conn.Write(b); err != nil {
		r.Fatal(err)
	}
}

// answered says that a client was told an IPv4 address of a name.
func (r *resolver) answered(name, address string, ttl uint32) {
	r.Helper()
	full := dnsmessage.MustNewName(name + ".")
	dns, err := (&dnsmessage.Message{
		Header:    dnsmessage.Header{Response: true},
		Questions: []dnsmessage.Question{{Name: full, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		Answers: []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: full, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: ttl},
			Body:   &dnsmessage.AResource{A: netip.MustParseAddr(address).As4()},
		}},
	}).Pack()
	if err != nil {
		r.Fatal(err)
	}
	m := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 6) // a client's response
	m = protowire.AppendBytes(protowire.AppendTag(m, 14, protowire.BytesType), dns)
	frame := protowire.AppendBytes(protowire.AppendTag(nil, 14, protowire.BytesType), m)
	r.send(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...))
}

const namesPolicy = `apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop, labels: {app: client}}
spec: {nodeName: node-a, containers: [{name: a}]}
status: {phase: Running, podIP: 10.1.0.9, podIPs: [{ip: 10.1.0.9}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: client}}
  egress: [{toFQDNs: [{matchName: api.example.com}, {matchPattern: "*.short.example"}]}]
`

// TestFQDN has a resolver say what it answered: policies follow, and only for their own names.
func TestFQDN(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dns", "tap.sock")
	n := newNode(t, "--policies", "--cluster-cidr", "10.1.0.0/16", "--fqdn-listen", path, "--fqdn-ttl-min", "1s")
	n.write("node.yaml", nodeYAML)
	n.write("policy.yaml", namesPolicy)
	n.start()
	closed := n.answer("203.0.113.5", 8080)
	n.wait("the policy", func() bool { closed = n.answer("203.0.113.5", 8080); return !strings.Contains(closed, ":") })
	open := func(address string) bool { return n.answer(address, 8080) == address+":8080" }

	r := n.resolver(path)
	r.answered("other.example.com", "203.0.113.6", 100)
	r.answered("api.example.com", "127.0.0.1", 100)
	r.answered("API.example.com", "203.0.113.5", 100)
	n.wait("the address of the answer", func() bool { return open("203.0.113.5") })
	if open("203.0.113.6") {
		t.Error("the address of another name is open")
	}
	_, metrics, _ := n.get("http://127.0.0.1:10249/metrics")
	for _, line := range []string{"planec_fqdn_connections 1", "planec_fqdn_names 1", "planec_fqdn_addresses 1", `planec_fqdn_frames_total{result="kept"} 1`, `planec_fqdn_frames_total{result="other"} 1`, `planec_fqdn_frames_total{result="refused"} 1`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("no %s in\n%s", line, metrics)
		}
	}

	// What ends is closed again.
	r.answered("a.short.example", "203.0.113.7", 1)
	n.wait("an address for a second", func() bool { return open("203.0.113.7") })
	n.wait("its end", func() bool { return n.answer("203.0.113.7", 8080) == closed })

	// What is not understood ends its connection and nothing else.
	r.send([]byte{0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	n.resolver(path)

	// An agent that is killed knows the names again.
	n.wait("a record", func() bool {
		matches, _ := filepath.Glob(filepath.Join(n.state, "fqdn.json"))
		return len(matches) == 1
	})
	n.kill(unix.SIGKILL)
	if !open("203.0.113.5") {
		t.Error("closed by kill -9")
	}
	n.start()
	n.wait("the first rules", func() bool { return strings.Contains(n.log.String(), "the first rules are in the kernel") })
	if !open("203.0.113.5") {
		t.Error("closed by the next start")
	}

	// A policy that goes takes its names along.
	n.write("policy.yaml", strings.ReplaceAll(namesPolicy, "api.example.com", "new.example.com"))
	n.wait("the policy goes", func() bool { return n.answer("203.0.113.5", 8080) == closed })
}
