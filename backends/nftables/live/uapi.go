package live

// Numbers of include/uapi/linux/netfilter/nf_tables.h and nfnetlink.h. They are not
// from x/sys/unix, so that models compare and plan on every system. Only on Linux
// are rules compiled, with github.com/google/nftables/expr.
const (
	subsysNFTables = 10

	msgNewTable   = 0
	msgGetTable   = 1
	msgDelTable   = 2
	msgNewChain   = 3
	msgGetChain   = 4
	msgDelChain   = 5
	msgNewRule    = 6
	msgGetRule    = 7
	msgDelRule    = 8
	msgNewSet     = 9
	msgGetSet     = 10
	msgDelSet     = 11
	msgNewElems   = 12
	msgGetElems   = 13
	msgDelElems   = 14
	msgNewGen     = 15
	msgGetGen     = 16
	msgGetObj     = 19
	msgGetFlow    = 23
	msgBatchBegin = 16 // NFNL_MSG_BATCH_BEGIN, which has no subsystem
	msgBatchEnd   = 17

	flagRequest = 0x1
	flagAck     = 0x4
	flagExcl    = 0x200
	flagDump    = 0x300
	flagCreate  = 0x400
	flagAppend  = 0x800

	nlmsgError   = 2
	nlmsgDone    = 3
	dumpIntr     = 0x10
	flagCapped   = 0x100
	flagAckTLVs  = 0x200
	nlmsgerrMsg  = 1
	headerLen    = 16
	nfHeaderLen  = 20 // including struct nfgenmsg
	batchGenID   = 1
	genID        = 1
	attrTypeMask = 0x3fff
)

// Attributes.
const (
	listElem = 1

	tableName  = 1
	tableFlags = 2
	tableUse   = 3
	tableOwner = 7
	tableUData = 6

	chainTable    = 1
	chainName     = 3
	chainHook     = 4
	chainPolicy   = 5
	chainType     = 7
	chainCounters = 8
	chainFlags    = 10
	chainUData    = 12

	hookNumber = 1
	hookPlace  = 2

	ruleTable  = 1
	ruleChain  = 2
	ruleHandle = 3
	ruleExprs  = 4
	ruleCompat = 5
	ruleUData  = 7

	setTable    = 1
	setName     = 2
	setFlags    = 3
	setKeyType  = 4
	setKeyLen   = 5
	setDataType = 6
	setDataLen  = 7
	setPolicy   = 8
	setDesc     = 9
	setID       = 10
	setTimeout  = 11
	setGC       = 12
	setUData    = 13
	setObjType  = 15
	setExpr     = 17
	setExprs    = 18
	setCount    = 20 // NFTA_SET_COUNT: how many elements there are

	descSize   = 1
	descConcat = 2
	fieldLen   = 1

	listTable = 1
	listSet   = 2
	listElems = 3
	listSetID = 4

	elemKey     = 1
	elemData    = 2
	elemFlags   = 3
	elemTimeout = 4
	elemUData   = 6
	elemKeyEnd  = 10

	dataValue    = 1
	dataVerdict  = 2
	verdictCode  = 1
	verdictChain = 2

	exprName = 1
	exprData = 2
)

// tableDormant is NFT_TABLE_F_DORMANT: the table's chains are off their hooks.
const tableDormant = 1

// Flags of sets and elements.
const (
	setAnonymous = 0x1
	setConstant  = 0x2
	setInterval  = 0x4
	setMap       = 0x8
	setTimeouts  = 0x10
	setEval      = 0x20
	setConcat    = 0x80

	elemIntervalEnd = 0x1
)

// Verdicts.
const (
	verdictDrop   = 0
	verdictAccept = 1
	verdictJump   = ^uint32(2) // NFT_JUMP, -3
	verdictGoto   = ^uint32(3) // NFT_GOTO, -4
	verdictReturn = ^uint32(4) // NFT_RETURN, -5
)

// Data types as nft numbers them (enum datatypes of its include/datatype.h). The
// kernel only stores them, except NFT_DATA_VERDICT, which is its own.
const (
	typeInteger = 4
	typeAddr4   = 7
	typeAddr6   = 8
	typeProto   = 12
	typePort    = 13
	typeMark    = 19
	typeIface   = 20
	typeClassID = 23
	typeVerdict = 0xffffff00
	typeBits    = 6 // per type of a concatenation
)
