package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/planec/planec/internal/base/nlattr"
)

// ErrDrift says that the kernel's tables are not what they were when they were
// last written: a change that did not look first did not fit, and nothing was
// done. Observe and plan anew.
var ErrDrift = errors.New("another process changed planec's tables")

// ErrBusy says that other people's changes came in between each time.
var ErrBusy = errors.New("the ruleset keeps changing")

// ErrStructure says that a change needs more than elements and chains that
// elements lead to. Plan from a whole artifact.
var ErrStructure = errors.New("more than elements has to change")

// sent is one message of a batch.
type sent struct {
	kind   uint16
	family Family
	body   []byte
}

// findSent returns the message with a number.
func findSent(batch []byte, sequence uint32) (m sent, ok bool) {
	for len(batch) >= nfHeaderLen {
		n := int(binary.NativeEndian.Uint32(batch))
		if n < nfHeaderLen || n > len(batch) {
			break
		}
		kind := binary.NativeEndian.Uint16(batch[4:])
		if binary.NativeEndian.Uint32(batch[8:]) == sequence && kind>>8 == subsysNFTables {
			return sent{kind & 0xff, Family(batch[headerLen]), batch[nfHeaderLen:n]}, true
		}
		batch = batch[(n+3)&^3:]
	}
	return sent{}, false
}

// describe says in words what one message of a batch does.
func describe(batch []byte, sequence uint32) string {
	m, ok := findSent(batch, sequence)
	if !ok {
		return "the transaction"
	}
	return describeMessage(m.kind, m.family, m.body)
}

// lacks says what a kernel may not have that does not support a message.
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

func describeMessage(kind uint16, f Family, body []byte) string {
	words, named := "", uint16(2)
	switch kind {
	case msgNewTable:
		words, named = "add table", tableName
	case msgDelTable:
		words, named = "delete table", tableName
	case msgNewChain:
		words, named = "add chain", chainName
	case msgDelChain:
		words, named = "delete chain", chainName
	case msgNewRule:
		words, named = "add rule to chain", ruleChain
	case msgDelRule:
		words, named = "delete rules of chain", ruleChain
	case msgNewSet:
		words, named = "add set", setName
	case msgDelSet:
		words, named = "delete set", setName
	case msgNewElems:
		words, named = "add elements to set", listSet
	case msgDelElems:
		words, named = "delete elements of set", listSet
	}
	text := fmt.Sprintf("table %v %s: %s %s", f, tableNamed, words, nlattr.String(nlattr.Get(body, named)))
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
