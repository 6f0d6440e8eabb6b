package ir

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// SharedOrigin is an [Origin] that several values have: the frontends and pools of one port of a
// Service. A program has tens of thousands of them, of one pointer instead of five strings. Its
// JSON is that of an Origin.
type SharedOrigin struct {
	// Shared origins cannot be compared with ==: equal ones may lie at two places. See
	// [SharedOrigin.Equal].
	_ [0]func()

	// origin does not change. It is nil for the zero origin.
	origin *Origin
}

// Share returns an origin to share, which must not be changed any more.
func Share(o *Origin) SharedOrigin {
	if o == nil || o.IsZero() {
		return SharedOrigin{}
	}
	return SharedOrigin{origin: o}
}

// Get returns the origin.
func (s SharedOrigin) Get() Origin {
	if s.origin == nil {
		return Origin{}
	}
	return *s.origin
}

// At returns the origin with the path of another field.
func (s SharedOrigin) At(path string) Origin { return s.Get().At(path) }

// Equal reports whether two origins are the same.
func (s SharedOrigin) Equal(o SharedOrigin) bool { return s.origin == o.origin || s.Get() == o.Get() }

// MarshalJSON implements json.Marshaler.
func (s SharedOrigin) MarshalJSON() ([]byte, error) { return marshalPart(s.Get(), "origin") }

// UnmarshalJSON implements json.Unmarshaler. An unknown field is an error.
func (s *SharedOrigin) UnmarshalJSON(data []byte) error {
	var o Origin
	if err := unmarshalPart(data, &o, "origin"); err != nil {
		return err
	}
	*s = Share(&o)
	return nil
}

// marshalPart writes a part of a program, whose writer decides whether signs of HTML are escaped.
func marshalPart(v any, what string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return b.Bytes(), nil
}

// unmarshalPart reads a part as strictly as [ParseJSON].
func unmarshalPart(data []byte, v any, what string) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
