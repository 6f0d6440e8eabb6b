package ir

import "strconv"

// Origin is the object and the line that something came from. The zero value
// means planec itself (a default, or a flag of the command line).
type Origin struct {
	Kind      string `json:"kind,omitempty"`      // the object's kind, such as "Service"
	Namespace string `json:"namespace,omitempty"` // the object's namespace; "" for cluster-wide objects
	Name      string `json:"name,omitempty"`      // the object's name
	// Path is the field inside the object, as in "spec.ports[0]".
	Path string `json:"path,omitempty"`
	File string `json:"file,omitempty"` // the file as named on the command line; "-" is standard input
	// Line counts from 1; 0 is unknown.
	Line int `json:"line,omitempty"`
}

// IsZero reports whether the origin is planec itself.
func (o Origin) IsZero() bool { return o == Origin{} }

// Object returns "Kind namespace/name", without the namespace for a
// cluster-wide kind.
func (o Origin) Object() string {
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + o.Name
	}
	if o.Kind == "" || name == "" {
		return o.Kind + name
	}
	return o.Kind + " " + name
}

// Position returns "file:line", the file alone if the line is unknown, and ""
// if the file is.
func (o Origin) Position() string {
	if o.File == "" || o.Line == 0 {
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// At returns the origin with the path of another field.
func (o Origin) At(path string) Origin {
	o.Path = path
	return o
}
