package ebpf

import (
	"fmt"
	"net/netip"

	"github.com/planec/planec/backends/ebpf/layout"
)

// serviceLayer lays out svc, ep and source. Entries come in the order of their keys, so
// that positions depend on nothing but what the entries mean: a pool has its place, and a
// set its number, by its first use. Equal pools and equal lists are there once.
type serviceLayer struct {
	svc, ep, source *Map
	// pools and sets are those that were laid out, by their content.
	pools    contents
	sets     map[string]uint32
	features layout.Features
}

// newServiceLayer has room for so many entries and pools.
func newServiceLayer(tables *[layout.NumMaps]Map, entries, pools int) *serviceLayer {
	l := &serviceLayer{
		svc: &tables[layout.Services], ep: &tables[layout.Endpoints], source: &tables[layout.Sources],
		pools: newContents(pools), sets: make(map[string]uint32),
	}
	l.svc.grow(entries)
	return l
}

// laid is an entry with its positions, and whether its source ranges were laid out for it.
type laid struct {
	layout.Service
	sources bool
}

// add writes an entry, whose key is after those of all before.
func (l *serviceLayer) add(e *layout.Entry) laid {
	s := e.Service
	s.Internal.Base = l.pool(e.InternalPool)
	if samePool(e.InternalPool, e.ExternalPool) {
		s.External.Base = s.Internal.Base
	} else {
		s.External.Base = l.pool(e.ExternalPool)
	}
	s.Internal.Count, s.External.Count = uint32(len(e.InternalPool)), uint32(len(e.ExternalPool))
	return l.write(e.Key, s, e.SourceRanges)
}

// write writes a Service whose pools are there, with its source ranges.
func (l *serviceLayer) write(key layout.ServiceKey, s layout.Service, ranges []netip.Prefix) laid {
	out := laid{Service: s}
	if out.Sources = 0; len(ranges) > 0 {
		out.Sources, out.sources = l.set(ranges)
	}
	l.features |= featuresOf(key, &out.Service)
	l.svc.data = out.Append(key.Append(l.svc.data))
	return out
}

// samePool reports whether two pools are the same memory.
func samePool(a, b []layout.Endpoint) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// pool returns where a pool is, and writes it where it is not there yet.
func (l *serviceLayer) pool(list []layout.Endpoint) uint32 {
	if len(list) == 0 {
		return 0
	}
	from := len(l.ep.data)
	for i := range list {
		l.ep.data = list[i].Append(l.ep.data)
	}
	at := l.pools.put(l.ep.data, from)
	if at != from {
		l.ep.data = l.ep.data[:from]
	}
	return uint32(at / l.ep.stride())
}

// set returns the set of source ranges, and whether it was written now.
func (l *serviceLayer) set(ranges []netip.Prefix) (set uint32, fresh bool) {
	var content []byte
	for _, p := range ranges {
		content = layout.PrefixKeyOf(0, p).Append(content)
	}
	if set, known := l.sets[string(content)]; known {
		return set, false
	}
	set = layout.FirstSourceSet + uint32(len(l.sets))
	l.sets[string(content)] = set
	for _, p := range ranges {
		l.source.data = layout.AppendIndex(layout.PrefixKeyOf(set, p).Append(l.source.data), 1)
	}
	return set, true
}

// featuresOf are the features that a program must have to serve an entry of svc.
func featuresOf(key layout.ServiceKey, s *layout.Service) (f layout.Features) {
	for _, need := range [...]struct {
		is      bool
		feature layout.Features
	}{
		{s.Affinity != 0, layout.FeatureAffinity},
		{s.Sources != 0, layout.FeatureSourceRanges},
		{(s.Internal.Flags|s.External.Flags)&layout.RouteWeighted != 0, layout.FeatureWeights},
		{key.Scope&layout.ScopeNodePort != 0, layout.FeatureNodePorts},
		{key.Protocol == protocolSCTP, layout.FeatureSCTP},
	} {
		if need.is {
			f |= need.feature
		}
	}
	return f
}

// protocolSCTP is IPPROTO_SCTP.
const protocolSCTP = 132

// Entries returns what svc, ep and source say, in the order of their keys. Routes to one
// pool share its memory. The image is valid.
func (img *Image) Entries() []layout.Entry {
	svc, ep := &img.maps[layout.Services], &img.maps[layout.Endpoints]
	endpoints := make([]layout.Endpoint, ep.Len())
	for i := range endpoints {
		endpoints[i] = layout.DecodeEndpoint(ep.Value(i))
	}
	pool := func(r layout.Route) []layout.Endpoint {
		if r.Count == 0 {
			return nil
		}
		return endpoints[r.Base:][:r.Count:r.Count]
	}
	sets := img.sourceLists()
	out := make([]layout.Entry, svc.Len())
	for i := range out {
		s := layout.DecodeService(svc.Value(i))
		c := layout.Content{Service: s, InternalPool: pool(s.Internal), ExternalPool: pool(s.External), SourceRanges: sets[s.Sources]}
		out[i] = layout.Entry{Key: layout.DecodeServiceKey(svc.Key(i)), Content: c.Normal()}
	}
	return out
}

// Assemble returns the image of entries of svc, sorted by key, and of the maps that do not
// belong to Services, in the form of [Map.Entries] and in any order. Of meta it takes what
// Services do not determine. The image is verified as by [NewImage].
func Assemble(services []layout.Entry, rest [layout.NumMaps][]byte) (*Image, error) {
	img := &Image{}
	for i, l := range layout.Maps() {
		img.maps[i] = Map{layout: l}
		if layout.InStoreMaps(i) {
			continue
		}
		img.maps[i].data = rest[i]
		if len(rest[i])%img.maps[i].stride() != 0 {
			return nil, fmt.Errorf("map %s: %d bytes are no whole number of entries of %d", l.Name, len(rest[i]), img.maps[i].stride())
		}
	}
	if n := len(rest[layout.Meta]); n != layout.MetaSize {
		return nil, fmt.Errorf("map meta: %d bytes instead of %d", n, layout.MetaSize)
	}
	l := newServiceLayer(&img.maps, len(services), len(services)/2)
	for i := range services {
		l.add(&services[i])
	}
	for i := range img.maps {
		img.maps[i].sort()
	}
	info := layout.DecodeInfo(rest[layout.Meta])
	info.Features = info.Features&^layout.ServiceFeatures | l.features
	img.maps[layout.Meta].data = info.Append(nil)
	img.count()
	img.seal()
	if err := img.verify(); err != nil {
		return nil, err
	}
	return img, nil
}

// count writes the numbers of entries into meta.
func (img *Image) count() {
	info := img.Info()
	for i := range img.maps {
		if i != layout.Meta {
			info.SetCount(i, uint32(img.maps[i].Len()))
		}
	}
	img.maps[layout.Meta].data = info.Append(nil)
}

// Rest returns meta without what Services determine: the digest, their numbers and what
// they need. Images of which it is equal, and the other maps that are not of Services, differ
// in Services alone.
func (img *Image) Rest() layout.Info {
	info := img.Info()
	info.Digest = Digest{}
	info.Features &^= layout.ServiceFeatures
	for i := range img.maps {
		if layout.InStoreMaps(i) {
			info.SetCount(i, 0)
		}
	}
	return info
}

// SameRest reports whether two images differ in Services at most.
func SameRest(a, b *Image) bool {
	for i := range a.maps {
		if i != layout.Meta && !layout.InStoreMaps(i) && a.maps[i].digest != b.maps[i].digest {
			return false
		}
	}
	return a.Rest() == b.Rest()
}

// SameSettings reports whether two images differ in Services and policies at most.
func SameSettings(a, b *Image) bool {
	for i := range a.maps {
		if i != layout.Meta && !layout.InStoreMaps(i) && !layout.InPolicyMaps(i) && a.maps[i].digest != b.maps[i].digest {
			return false
		}
	}
	return a.settings() == b.settings()
}

// settings returns meta without what Services and policies determine.
func (img *Image) settings() layout.Info {
	info := img.Rest()
	info.Features &^= layout.FeaturePolicies
	info.Flags &^= layout.FlagDenyReject
	info.Node = layout.Pod{}
	for i := range img.maps {
		if layout.InPolicyMaps(i) {
			info.SetCount(i, 0)
		}
	}
	return info
}
