package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/ir"
)

// services writes Services by name: each port with its addresses, and then the
// endpoints behind them.
func (r *reading) services(p *ir.Program) {
	groups := make(map[string][]*ir.Frontend)
	for i := range p.Frontends {
		f := &p.Frontends[i]
		groups[f.Service.Namespace+"/"+f.Service.Name] = append(groups[f.Service.Namespace+"/"+f.Service.Name], f)
	}
	names := make([]string, 0, len(groups))
	for name := range groups {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		all := groups[name]
		slices.SortStableFunc(all, func(a, b *ir.Frontend) int {
			return cmp.Or(cmp.Compare(a.Service.Port, b.Service.Port), cmp.Compare(a.Service.Protocol, b.Service.Protocol), cmp.Compare(a.Kind, b.Kind), a.Match.Address.Compare(b.Match.Address))
		})
		r.service(name, all)
	}
}

func (r *reading) service(name string, all []*ir.Frontend) {
	r.head("Service "+name, r.of(all[0].Origin.Get()))
	var pools []string
	port := ""
	for _, f := range all {
		if now := portName(f.Service); now != port {
			port = now
			r.say(1, "port "+port, r.of(f.Origin.Get()))
		}
		r.frontend(f)
		for _, id := range []string{f.Internal.Pool, f.External.Pool} {
			if !slices.Contains(pools, id) {
				pools = append(pools, id)
			}
		}
	}
	for _, id := range pools {
		if pool := r.pools[id]; pool != nil && len(pool.Endpoints) > 0 {
			r.pool(pool, all[0].Origin.Get())
		}
	}
}

func portName(s ir.ServicePort) string {
	if s.Port == "" {
		return s.Protocol.String()
	}
	return s.Port + " (" + s.Protocol.String() + ")"
}

// kinds are the frontends' kinds as Kubernetes calls them.
func kindName(k ir.FrontendKind) string {
	switch k {
	case ir.ClusterIP:
		return "ClusterIP"
	case ir.LoadBalancer:
		return "load balancer"
	case ir.ExternalIP:
		return "external IP"
	}
	return "nodePort"
}

func (r *reading) frontend(f *ir.Frontend) {
	ids := r.of(f.Origin.Get())
	at := fmt.Sprintf("this node:%d (%v)", f.Match.Port, f.Match.Family)
	if f.Match.Address.IsValid() {
		at = strings.TrimSuffix(f.Match.String(), "/"+f.Match.Protocol.String())
	}
	if f.Internal == f.External {
		r.say(2, fmt.Sprintf("%s  %s → %s", at, kindName(f.Kind), r.route(f.Internal)), ids)
	} else {
		r.say(2, fmt.Sprintf("%s  %s", at, kindName(f.Kind)), ids)
		r.say(3, "from this node and its pods → "+r.route(f.Internal), ids)
		r.say(3, "from elsewhere → "+r.route(f.External), ids)
	}
	if len(f.SourceRanges) > 0 {
		r.say(3, "only for clients in "+strings.Join(texts(f.SourceRanges), ", ")+"; others are dropped", ids)
	}
	if f.Affinity != 0 {
		r.say(3, fmt.Sprintf("a client keeps its endpoint until %d s without a new connection", f.Affinity), ids)
	}
	if len(f.Lasting) > 0 {
		r.say(3, "flows to "+strings.Join(texts(f.Lasting), ", ")+" go on, new ones do not start", ids)
	}
}

// route says where a route leads and which source address its endpoints see.
func (r *reading) route(route ir.Route) string {
	pool := r.pools[route.Pool]
	if pool == nil || len(pool.Endpoints) == 0 {
		return map[ir.Refusal]string{ir.Drop: "no endpoint: dropped", ir.Reject: "no endpoint: rejected"}[route.OnEmpty]
	}
	text := several(len(pool.Endpoints), "endpoint")
	if strings.HasSuffix(route.Pool, "/local") {
		text += " on this node"
	}
	switch route.Masquerade {
	case ir.MasqueradeAlways:
		text += ", which see this node's address"
	case ir.MasqueradeUnlessLocalSource:
		text += ", which see this node's address unless its pods ask"
	}
	return text
}

func (r *reading) pool(pool *ir.Pool, service ir.Origin) {
	scope := "endpoints"
	if strings.HasSuffix(pool.ID, "/local") {
		scope = "endpoints on this node"
	}
	r.say(1, scope, r.of(pool.Origin.Get()))
	for _, e := range pool.Endpoints {
		text := e.Address.String()
		if name := r.names[e.Address.Addr()]; name != "" {
			text += "  " + name
		}
		if e.Local {
			text += "  (here)"
		}
		namespace, name, _ := strings.Cut(r.names[e.Address.Addr()], "/")
		r.say(2, text, r.of(e.Origin(), service, ir.Origin{Kind: "Pod", Namespace: namespace, Name: name}))
	}
}
