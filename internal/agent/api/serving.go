package api

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/planec/planec/backends"
)

// Serving is the state that the agent wants the kernel to have.
type Serving struct {
	Backend string `json:"backend"` // the backend of the artifact
	// Changes is a number that changes with the rules.
	Changes uint64 `json:"changes"`
	// Behind is whether the kernel is known to differ.
	Behind   bool              `json:"behind"`
	Artifact backends.Artifact `json:"-"` // the rules; sent beside the JSON
}

// aboutName is the first file of the archive; the files of the artifact follow.
const aboutName = "serving.json"

// mostBytes limits the size of an answer: an artifact of 100,000 Services has a
// tenth of that.
const mostBytes = 2 << 30

// write sends a tar archive, which needs little memory for any size.
func (s Serving) write(w io.Writer) error {
	about, err := json.Marshal(s)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	files := append([]backends.File{{Name: aboutName, Data: about}}, s.Artifact.Files...)
	for _, f := range files {
		if err := archive.WriteHeader(&tar.Header{Name: f.Name, Size: int64(len(f.Data)), Mode: 0o600}); err != nil {
			return fmt.Errorf("sending %s: %w", f.Name, err)
		}
		if _, err := archive.Write(f.Data); err != nil {
			return fmt.Errorf("sending %s: %w", f.Name, err)
		}
	}
	return archive.Close()
}

// readServing reads what write sent.
func readServing(r io.Reader) (s Serving, err error) {
	archive := tar.NewReader(io.LimitReader(r, mostBytes))
	for first := true; ; first = false {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) && !first {
			return s, nil
		}
		if err != nil {
			return s, fmt.Errorf("reading what the agent serves: %w", err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			return s, fmt.Errorf("reading what the agent serves: %s: %w", h.Name, err)
		}
		if !first {
			s.Artifact.Files = append(s.Artifact.Files, backends.File{Name: h.Name, Data: data})
			continue
		}
		if h.Name != aboutName {
			return s, fmt.Errorf("reading what the agent serves: it begins with %.40q", h.Name)
		}
		if err := json.Unmarshal(data, &s); err != nil {
			return s, fmt.Errorf("reading what the agent serves: %w", err)
		}
	}
}
