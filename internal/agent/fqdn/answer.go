package fqdn

import (
	"errors"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of dnstap.proto that are read.
const (
	tapMessage      protowire.Number = 14
	messageType     protowire.Number = 1
	messageResponse protowire.Number = 14

	// clientResponse is what a resolver told a client. What other servers told the resolver
	// may be something that it refused.
	clientResponse = 6
)

var (
	errFrame = errors.New("no dnstap")
	// errOther is a message of another type, or an answer that says no address.
	errOther = errors.New("another message")
)

// response returns the DNS message of a frame that says what a client was told.
func response(frame []byte) ([]byte, error) {
	message, _, err := fields(frame, tapMessage, 0)
	if err != nil {
		return nil, err
	}
	if message == nil {
		return nil, errOther
	}
	dns, kind, err := fields(message, messageResponse, messageType)
	if err != nil {
		return nil, err
	}
	if kind != clientResponse || dns == nil {
		return nil, errOther
	}
	return dns, nil
}

// fields returns the last value of a field of bytes and of one that is a number.
func fields(b []byte, bytes, number protowire.Number) (value []byte, n uint64, err error) {
	for len(b) > 0 {
		num, typ, size := protowire.ConsumeTag(b)
		if size < 0 {
			return nil, 0, errFrame
		}
		b = b[size:]
		switch {
		case num == bytes && typ == protowire.BytesType:
			value, size = protowire.ConsumeBytes(b)
		case num == number && typ == protowire.VarintType:
			n, size = protowire.ConsumeVarint(b)
		default:
			size = protowire.ConsumeFieldValue(num, typ, b)
		}
		if size < 0 {
			return nil, 0, errFrame
		}
		b = b[size:]
	}
	return value, n, nil
}

// answer is what a client was told about a name.
type answer struct {
	name      string // in lower case, without a dot at the end
	addresses []netip.Addr
	ttl       time.Duration
}

// Bounds of one answer.
const (
	mostRecords = 512
	mostAliases = 16
)

// read reads a DNS message. The addresses are those that the name of the question leads to by
// the answer's own aliases; records of other names count for nothing.
func read(message []byte) (answer, error) {
	var p dnsmessage.Parser
	h, err := p.Start(message)
	if err != nil {
		return answer{}, err
	}
	if !h.Response || h.RCode != dnsmessage.RCodeSuccess || h.Truncated {
		return answer{}, errOther
	}
	questions, err := p.AllQuestions()
	if err != nil {
		return answer{}, err
	}
	if len(questions) != 1 || questions[0].Class != dnsmessage.ClassINET || questions[0].Type != dnsmessage.TypeA && questions[0].Type != dnsmessage.TypeAAAA {
		return answer{}, errOther
	}
	r := records{aliases: make(map[string]alias), addresses: make(map[string][]record)}
	for range mostRecords {
		switch more, err := r.add(&p); {
		case err != nil:
			return answer{}, err
		case !more:
			return r.follow(nameOf(questions[0].Name))
		}
	}
	return answer{}, errOther
}

// records are those of one answer.
type records struct {
	aliases   map[string]alias
	addresses map[string][]record
}

type alias struct {
	to  string
	ttl uint32
}

type record struct {
	address netip.Addr
	ttl     uint32
}

// add reads the next record; there may be none.
func (r *records) add(p *dnsmessage.Parser) (more bool, err error) {
	h, err := p.AnswerHeader()
	if errors.Is(err, dnsmessage.ErrSectionDone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	name := nameOf(h.Name)
	switch {
	case h.Class != dnsmessage.ClassINET:
		return true, p.SkipAnswer()
	case h.Type == dnsmessage.TypeA:
		a, err := p.AResource()
		r.addresses[name] = append(r.addresses[name], record{netip.AddrFrom4(a.A), h.TTL})
		return true, err
	case h.Type == dnsmessage.TypeAAAA:
		a, err := p.AAAAResource()
		r.addresses[name] = append(r.addresses[name], record{netip.AddrFrom16(a.AAAA), h.TTL})
		return true, err
	case h.Type == dnsmessage.TypeCNAME:
		c, err := p.CNAMEResource()
		r.aliases[name] = alias{nameOf(c.CNAME), h.TTL}
		return true, err
	}
	return true, p.SkipAnswer()
}

// follow returns the addresses of a name.
func (r *records) follow(name string) (answer, error) {
	out, at, ttl := answer{name: name}, name, ^uint32(0)
	for range mostAliases {
		if list := r.addresses[at]; len(list) > 0 {
			for _, x := range list {
				out.addresses, ttl = append(out.addresses, x.address), min(ttl, x.ttl)
			}
			out.ttl = time.Duration(ttl) * time.Second
			return out, nil
		}
		to, is := r.aliases[at]
		if !is {
			break
		}
		at, ttl = to.to, min(ttl, to.ttl)
	}
	return answer{}, errOther
}

func nameOf(n dnsmessage.Name) string {
	return strings.ToLower(strings.TrimSuffix(n.String(), "."))
}

// usable reports whether a name may have an address for policies: none of the machine itself or
// of its links, where a server that may name anything could have clients led to.
func usable(a netip.Addr) bool {
	return a.IsValid() && a.Zone() == "" && !a.Is4In6() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsMulticast() && !a.IsUnspecified()
}

// right reports whether a name is one that policies can have.
func right(name string) bool {
	return name != "" && len(name) <= 253 && !strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || c == '*' })
}
