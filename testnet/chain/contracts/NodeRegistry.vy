# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title  Peers that announce themselves, with a bond if they like.
@notice Keyed by operator, so that nobody squats another's peer; that the peer's own key agrees is shown off chain. A
        bond is taken for one fault only, which the chain checks itself: two receipts of one operator for the same
        place of the same session. Accusations alone do nothing.
        Without owner, fee or upgrade. Unaudited.
"""

HALF_ORDER: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168
DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
RECEIPT_TYPE: constant(bytes32) = keccak256(
    "Receipt(bytes32 channelId,bytes32 session,uint64 sequence,bytes32 previous,bytes32 manifestHash,bytes32 planHash,bytes32 atoms,uint64 tokens,uint64 workUnits,uint256 cumulative,bytes32 inputHash,bytes32 outputHash)")
NAME: constant(bytes32) = keccak256("Shoal Settlement")
VERSION: constant(bytes32) = keccak256("1")
NOBODY: constant(address) = 0x000000000000000000000000000000000000dEaD
MAX_UNBOND: constant(uint256) = 365 * 86400
# One part in this many goes to the reporter: too little to make reporting oneself worth while.
REWARD_PART: constant(uint256) = 10

event NodeRegistered:
    operator: indexed(address)
    nodeId: indexed(bytes32)
    bond: uint256
    endpoint: String[256]

event NodeUpdated:
    operator: indexed(address)
    nodeId: indexed(bytes32)
    endpoint: String[256]

event BondAdded:
    operator: indexed(address)
    bond: uint256

event NodeLeaving:
    operator: indexed(address)
    nodeId: indexed(bytes32)
    withdrawableAt: uint256

event NodeLeft:
    operator: indexed(address)
    nodeId: indexed(bytes32)
    returned: uint256

event NodeSlashed:
    operator: indexed(address)
    reporter: indexed(address)
    session: indexed(bytes32)
    reward: uint256
    burned: uint256

struct Node:
    nodeId: bytes32
    bond: uint256
    # 0: it stays.
    withdrawableAt: uint256

struct Receipt:
    channelId: bytes32
    session: bytes32
    sequence: uint64
    previous: bytes32
    manifestHash: bytes32
    planHash: bytes32
    atoms: bytes32
    tokens: uint64
    workUnits: uint64
    cumulative: uint256
    inputHash: bytes32
    outputHash: bytes32

struct Signature:
    v: uint8
    r: bytes32
    s: bytes32

# Whose vouchers and receipts these are: part of what was signed.
channels: public(immutable(address))
unbondSeconds: public(immutable(uint256))
nodes: public(HashMap[address, Node])


@deploy
def __init__(_channels: address, _unbondSeconds: uint256):
    assert _unbondSeconds > 0 and _unbondSeconds <= MAX_UNBOND, "unbond"
    channels = _channels
    unbondSeconds = _unbondSeconds


@internal
@view
def _receiptDigest(receipt: Receipt) -> bytes32:
    separator: bytes32 = keccak256(abi_encode(DOMAIN_TYPE, NAME, VERSION, chain.id, channels))
    return keccak256(concat(b"\x19\x01", separator, keccak256(abi_encode(RECEIPT_TYPE, receipt))))


@external
@view
def receiptDigest(receipt: Receipt) -> bytes32:
    return self._receiptDigest(receipt)


@internal
@view
def _active() -> Node:
    node: Node = self.nodes[msg.sender]
    assert node.nodeId != empty(bytes32) and node.withdrawableAt == 0, "not active"
    return node


@external
@payable
def register(nodeId: bytes32, endpoint: String[256]):
    assert nodeId != empty(bytes32), "node id"
    assert self.nodes[msg.sender].nodeId == empty(bytes32), "registered"
    self.nodes[msg.sender] = Node(nodeId=nodeId, bond=msg.value, withdrawableAt=0)
    log NodeRegistered(operator=msg.sender, nodeId=nodeId, bond=msg.value, endpoint=endpoint)


@external
def update(endpoint: String[256]):
    node: Node = self._active()
    log NodeUpdated(operator=msg.sender, nodeId=node.nodeId, endpoint=endpoint)


@external
@payable
def addBond():
    node: Node = self._active()
    node.bond += msg.value
    self.nodes[msg.sender] = node
    log BondAdded(operator=msg.sender, bond=node.bond)


@external
def leave():
    node: Node = self._active()
    node.withdrawableAt = block.timestamp + unbondSeconds
    self.nodes[msg.sender] = node
    log NodeLeaving(operator=msg.sender, nodeId=node.nodeId, withdrawableAt=node.withdrawableAt)


@external
def withdraw():
    node: Node = self.nodes[msg.sender]
    assert node.withdrawableAt != 0 and block.timestamp >= node.withdrawableAt, "not yet"
    self.nodes[msg.sender] = empty(Node)
    log NodeLeft(operator=msg.sender, nodeId=node.nodeId, returned=node.bond)
    if node.bond > 0:
        raw_call(msg.sender, b"", value=node.bond)


@internal
@pure
def _signer(digest: bytes32, signature: Signature) -> address:
    assert signature.v == 27 or signature.v == 28, "v"
    assert convert(signature.s, uint256) <= HALF_ORDER, "high s"
    return ecrecover(digest, signature.v, signature.r, signature.s)


@external
def slash(operator: address, a: Receipt, signatureA: Signature, b: Receipt, signatureB: Signature):
    """@notice A peer that is leaving can still be slashed until it has withdrawn."""
    assert operator != empty(address), "operator"
    assert a.channelId == b.channelId and a.session == b.session and a.sequence == b.sequence, "not one place"
    digestA: bytes32 = self._receiptDigest(a)
    digestB: bytes32 = self._receiptDigest(b)
    assert digestA != digestB, "one receipt"
    assert self._signer(digestA, signatureA) == operator, "signature a"
    assert self._signer(digestB, signatureB) == operator, "signature b"
    bond: uint256 = self.nodes[operator].bond
    assert bond > 0, "no bond"
    self.nodes[operator].bond = 0
    reward: uint256 = bond // REWARD_PART
    log NodeSlashed(
        operator=operator, reporter=msg.sender, session=a.session, reward=reward, burned=bond - reward)
    raw_call(NOBODY, b"", value=bond - reward)
    raw_call(msg.sender, b"", value=reward)
