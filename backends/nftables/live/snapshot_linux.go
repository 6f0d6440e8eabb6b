package live

import "context"

// Snapshot reads planec's tables as a model that can be restored. It does not keep
// what planec's text never makes, such as flags of the table.
func Snapshot(ctx context.Context) (*Model, error) {
	s, err := Observe(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range s.Model.Tables {
		t.odd = ""
		for _, set := range t.Sets {
			set.odd = nil
			set.Elems.index()
		}
		for _, c := range t.Chains {
			c.odd = nil
		}
	}
	return s.Model, nil
}
