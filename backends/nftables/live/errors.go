package live

import (
	"errors"
	"fmt"
	"strings"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/internal/text/nft"
)

// ErrDrift says that the kernel's tables differ from what was last written. A
// change that was planned without reading the kernel did not fit, and nothing
// was changed. Observe and plan again.
var ErrDrift = errors.New("another process changed planec's tables")

// ErrBusy says that other programs changed the ruleset during every attempt.
var ErrBusy = errors.New("the ruleset keeps changing")

// ErrStructure says that a change needs more than elements and the chains
// they lead to. Plan from a whole artifact.
var ErrStructure = errors.New("more than elements has to change")

// sent is one message of a batch.
type sent struct {
	kind   uint16
	family nft.Family
	body   []byte
}

// findSent returns the message with the given sequence number.
func findSent(batch []byte, sequence uint32) (m sent, ok bool) {
	_ = replies(batch, func(r reply) error {
		if r.sequence == sequence && r.kind>>8 == subsysNFTables && len(r.body) >= nfHeaderLen-headerLen {
			m, ok = sent{r.kind & 0xff, nft.Family(r.body[0]), r.body[nfHeaderLen-headerLen:]}, true
		}
		return nil
	})
	return m, ok
}

// describe names the action of one message of a batch.
func describe(batch []byte, sequence uint32) string {
	m, ok := findSent(batch, sequence)
	if !ok {
		return "the transaction"
	}
	return describeMessage(m.kind, m.family, m.body)
}

// lacks names what a kernel that does not support the message may lack.
func lacks(batch []byte, sequence uint32) string {
	m, ok := findSent(batch, sequence)
	if !ok {
		return "the kernel has no nf_tables: CONFIG_NF_TABLES"
	}
	switch m.kind {
	case msgNewTable, msgDelTable:
		return "the kernel has no nf_tables for this family: CONFIG_NF_TABLES_IPV4, CONFIG_NF_TABLES_IPV6"
	case msgNewChain:
		return "the kernel has no chains of this type: CONFIG_NFT_NAT"
	case msgNewSet, msgNewElems:
		return "the kernel has no such sets: concatenations with ranges came with Linux 5.6"
	case msgNewRule:
		return "the kernel lacks one of these expressions (CONFIG_NFT_NAT, _MASQ, _REJECT, _FIB_IPV4, _FIB_IPV6, _NUMGEN, _HASH, _CT), or NAT to a map's address and port, which came with Linux 5.13"
	}
	return "the kernel does not support it"
}

// doing holds the action of each message type, and the attribute with the name of the
// changed object.
var doing = map[uint16]struct {
	words string
	named uint16
}{
	msgNewTable: {"add table", tableName}, msgDelTable: {"delete table", tableName},
	msgNewChain: {"add chain", chainName}, msgDelChain: {"delete chain", chainName},
	msgNewRule: {"add rule to chain", ruleChain}, msgDelRule: {"delete rules of chain", ruleChain},
	msgNewSet: {"add set", setName}, msgDelSet: {"delete set", setName},
	msgNewElems: {"add elements to set", listSet}, msgDelElems: {"delete elements of set", listSet},
}

func describeMessage(kind uint16, f nft.Family, body []byte) string {
	does := doing[kind]
	text := fmt.Sprintf("table %v %s: %s %s", f, tableNamed, does.words, nlattr.String(nlattr.Get(body, does.named)))
	if kind == msgNewRule {
		text += " (" + strings.Join(expressionNames(nlattr.Get(body, ruleExprs)), ", ") + ")"
	}
	return text
}

func expressionNames(exprs []byte) []string {
	var names []string
	for _, e := range nlattr.All(exprs) {
		names = append(names, nlattr.String(nlattr.Get(e, exprName)))
	}
	return names
}
