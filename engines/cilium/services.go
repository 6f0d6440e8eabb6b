package cilium

import (
	"net/netip"

	"github.com/cilium/statedb"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	cmtypes "github.com/cilium/cilium/pkg/clustermesh/types"
	v2 "github.com/cilium/cilium/pkg/k8s/apis/cilium.io/v2"
	"github.com/cilium/cilium/pkg/labels"
	"github.com/cilium/cilium/pkg/loadbalancer"
	policyk8s "github.com/cilium/cilium/pkg/policy/k8s"
	"github.com/cilium/cilium/pkg/source"
)

// services are the tables that toServices of a policy is looked up in.
type services struct {
	db       *statedb.DB
	services statedb.RWTable[*loadbalancer.Service]
	backends statedb.RWTable[*loadbalancer.Backend]
}

func newServices(c *Cluster) (*services, error) {
	s := &services{db: statedb.New()}
	var err error
	if s.services, err = loadbalancer.NewServicesTable(loadbalancer.DefaultConfig, s.db); err != nil {
		return nil, err
	}
	if s.backends, err = loadbalancer.NewBackendsTable(s.db); err != nil {
		return nil, err
	}
	txn := s.db.WriteTxn(s.services, s.backends)
	defer txn.Commit()
	for _, svc := range c.Services {
		if err := s.add(txn, svc); err != nil {
			return nil, err
		}
	}
	for _, slice := range c.Slices {
		if err := s.addSlice(txn, slice); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *services) add(txn statedb.WriteTxn, svc *corev1.Service) error {
	_, _, err := s.services.Insert(txn, &loadbalancer.Service{
		Name:     loadbalancer.NewServiceName(svc.Namespace, svc.Name),
		Source:   source.Kubernetes,
		Labels:   labels.Map2Labels(svc.Labels, labels.LabelSourceK8s),
		Selector: svc.Spec.Selector,
	})
	return err
}

func (s *services) addSlice(txn statedb.WriteTxn, slice *discoveryv1.EndpointSlice) error {
	name := loadbalancer.NewServiceName(slice.Namespace, slice.Labels[discoveryv1.LabelServiceName])
	for _, e := range slice.Endpoints {
		if e.Conditions.Ready != nil && !*e.Conditions.Ready {
			continue
		}
		for _, address := range e.Addresses {
			a, err := netip.ParseAddr(address)
			if err != nil {
				return err
			}
			for _, p := range slice.Ports {
				_, _, err := s.backends.Insert(txn, &loadbalancer.Backend{
					ServiceName: name,
					Address:     loadbalancer.NewL3n4Addr(loadbalancer.L4Type(*p.Protocol), cmtypes.AddrClusterFrom(a, 0), uint16(*p.Port), loadbalancer.ScopeExternal),
					Source:      source.Kubernetes,
				})
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// resolve puts selectors and addresses in the place of a policy's toServices.
func (s *services) resolve(p *v2.CiliumNetworkPolicy) {
	policyk8s.ResolveToServices(s.db.ReadTxn(), s.services, s.backends, p)
}
