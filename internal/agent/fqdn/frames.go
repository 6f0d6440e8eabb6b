package fqdn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// contentType is that of dnstap's frames.
const contentType = "protobuf:dnstap.Dnstap"

// Bounds of frames, in bytes: a DNS message has 64 KiB at most, and a frame may have a query and
// its answer. A control frame has 512 (the limit of Frame Streams' own library).
const (
	largestFrame   = 256 << 10
	largestControl = 512
)

// The types of control frames (Frame Streams, farsightsec/fstrm).
const (
	controlAccept = iota + 1
	controlStart
	controlStop
	controlReady
	controlFinish
)

// fieldContentType is the only field of control frames.
const fieldContentType = 1

// stream reads the frames of one writer. It may be one that waits for answers to its control
// frames, or one that begins to write at once.
type stream struct {
	rw  io.ReadWriter
	buf []byte
	// answers says that the writer waits for an answer when it stops.
	answers bool
}

// begin reads control frames until data follows.
func (s *stream) begin() error {
	for range 2 {
		n, err := s.length()
		if err != nil {
			return err
		}
		if n != 0 {
			return errors.New("a data frame before a start")
		}
		kind, err := s.control()
		switch {
		case err != nil:
			return err
		case kind == controlStart:
			return nil
		case kind != controlReady || s.answers:
			return fmt.Errorf("control frame %d instead of a start", kind)
		}
		s.answers = true
		if err := s.write(controlAccept); err != nil {
			return err
		}
	}
	return errors.New("no start")
}

// next returns the next data frame, which is valid until the call after it; io.EOF is the end.
func (s *stream) next() ([]byte, error) {
	n, err := s.length()
	if err != nil {
		return nil, err
	}
	if n > 0 {
		if n > largestFrame {
			return nil, fmt.Errorf("a frame of %d bytes", n)
		}
		s.buf = slices.Grow(s.buf[:0], int(n))[:n]
		_, err := io.ReadFull(s.rw, s.buf)
		return s.buf, err
	}
	kind, err := s.control()
	if err != nil {
		return nil, err
	}
	if kind != controlStop {
		return nil, fmt.Errorf("control frame %d among data", kind)
	}
	if s.answers {
		if err := s.write(controlFinish); err != nil {
			return nil, err
		}
	}
	return nil, io.EOF
}

// length is that of a data frame; 0 says that a control frame follows.
func (s *stream) length() (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(s.rw, b[:])
	return binary.BigEndian.Uint32(b[:]), err
}

// control reads a control frame. One that says contents has to have dnstap's among them.
func (s *stream) control() (uint32, error) {
	n, err := s.length()
	if err != nil {
		return 0, err
	}
	if n < 4 || n > largestControl {
		return 0, fmt.Errorf("a control frame of %d bytes", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(s.rw, b); err != nil {
		return 0, err
	}
	kind, b := binary.BigEndian.Uint32(b), b[4:]
	said, right := false, false
	for len(b) > 0 {
		if len(b) < 8 {
			return 0, errors.New("a short field of a control frame")
		}
		field, size := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		if b = b[8:]; uint64(size) > uint64(len(b)) {
			return 0, errors.New("a short field of a control frame")
		}
		if field == fieldContentType {
			said, right = true, right || string(b[:size]) == contentType
		}
		b = b[size:]
	}
	if said && !right {
		return 0, errors.New("the frames are not dnstap's")
	}
	return kind, nil
}

// write answers with a control frame.
func (s *stream) write(kind uint32) error {
	payload := binary.BigEndian.AppendUint32(nil, kind)
	if kind == controlAccept {
		payload = binary.BigEndian.AppendUint32(payload, fieldContentType)
		payload = binary.BigEndian.AppendUint32(payload, uint32(len(contentType)))
		payload = append(payload, contentType...)
	}
	out := binary.BigEndian.AppendUint32(make([]byte, 4), uint32(len(payload)))
	_, err := s.rw.Write(append(out, payload...))
	return err
}
