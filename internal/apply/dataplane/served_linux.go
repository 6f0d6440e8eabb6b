package dataplane

import (
	"bytes"
	"context"
	"strings"

	"github.com/planec/planec/backends"
	ipvs "github.com/planec/planec/backends/ipvs/live"
	nft "github.com/planec/planec/backends/nftables/live"
	xtables "github.com/planec/planec/backends/xtables/live"
)

// Served implements [applier.Shower].
func (*nftablesPlane) Served(ctx context.Context) (backends.Served, error) {
	s, err := nft.Observe(ctx)
	if err != nil {
		return backends.Served{}, err
	}
	return s.Model.Served(), nil
}

// Read implements [applier.Reader].
func (d *nftablesPlane) Read(a backends.Artifact) (backends.Served, error) {
	m, err := d.parse(a)
	if err != nil {
		return backends.Served{}, err
	}
	return m.Served(), nil
}

// Read implements [applier.Reader].
func (d *iptablesPlane) Read(a backends.Artifact) (backends.Served, error) {
	s, err := d.want.read(a, xtables.Parse)
	if err != nil {
		return backends.Served{}, err
	}
	return s.Served(), nil
}

// Read implements [applier.Reader].
func (d *ipvsPlane) Read(a backends.Artifact) (backends.Served, error) {
	s, err := d.want.read(a, ipvs.Parse)
	if err != nil {
		return backends.Served{}, err
	}
	return s.Served(), nil
}

// Read implements [applier.Reader].
func (d *ebpfPlane) Read(a backends.Artifact) (backends.Served, error) {
	img, err := d.read(a)
	if err != nil {
		return backends.Served{}, err
	}
	return servedImage(img.Text()), nil
}

// Served implements [applier.Shower].
func (d *iptablesPlane) Served(ctx context.Context) (backends.Served, error) {
	if err := d.detect(ctx); err != nil {
		return backends.Served{}, err
	}
	s, err := d.tools.Observe(ctx)
	if err != nil {
		return backends.Served{}, err
	}
	return s.Served(), nil
}

// Served implements [applier.Shower].
func (d *ipvsPlane) Served(ctx context.Context) (backends.Served, error) {
	if err := d.detect(ctx); err != nil {
		return backends.Served{}, err
	}
	s, err := d.kernel.Observe(ctx)
	if err != nil {
		return backends.Served{}, err
	}
	return s.Served(), nil
}

// Served implements [applier.Shower]. The kernel's image has no names.
func (d *ebpfPlane) Served(ctx context.Context) (backends.Served, error) {
	have, err := d.pins.Observe(ctx)
	if err != nil || have.Image == nil {
		return backends.Served{}, err
	}
	return servedImage(have.Image.Text()), nil
}

// servedImage reads the text of an image: "svc AT KIND ... both=M,R,POOL" or with
// internal= and external=, "ep POOL ENDPOINT ...", "pod ADDRESS ...".
func servedImage(text []byte) backends.Served {
	var s backends.Served
	pools := make(map[string][]string)
	uses := make(map[int][]string)
	for line := range bytes.Lines(text) {
		words := strings.Fields(string(line))
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "svc":
			f := backends.ServedFrontend{At: words[1]}
			for _, w := range words[2:] {
				key, value, _ := strings.Cut(w, "=")
				switch key {
				case "name":
					f.Name = value
				case "both", "internal", "external":
					parts := strings.SplitN(value, ",", 3)
					uses[len(s.Frontends)] = append(uses[len(s.Frontends)], parts[len(parts)-1])
					f.Via = strings.TrimPrefix(f.Via+" "+key+"="+strings.Join(parts[:len(parts)-1], ","), " ")
					if len(parts) == 3 {
						f.Does = parts[1]
					}
				}
			}
			s.Frontends = append(s.Frontends, f)
		case "ep":
			if len(words) > 2 {
				pools[words[1]] = append(pools[words[1]], words[2])
			}
		case "pod":
			s.Pods = append(s.Pods, backends.ServedPod{Address: words[1], Ingress: "judged", Egress: "judged"})
		}
	}
	for i := range s.Frontends {
		for _, pool := range uses[i] {
			s.Frontends[i].Endpoints = append(s.Frontends[i].Endpoints, pools[pool]...)
		}
	}
	s.Normalize()
	return s
}
