# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy on
"""
@title  One-way payment channels, one for each payer and payee, many funded at once.
@notice The payer signs vouchers for ever larger sums (EIP-712); the largest is redeemed, by anyone, and paid to the
        payee alone. A payer closes a channel after a challenge time, a payee at any time. The next channel of
        the pair has another id, so that old vouchers are worth nothing in it.
        Without owner, fee or upgrade. Unaudited.
"""
from ethereum.ercs import IERC20

MAX_BATCH: constant(uint256) = 32
MAX_CHALLENGE: constant(uint256) = 30 * 86400
# Half of secp256k1's order: of two signatures that say the same, the one with the larger s is refused (EIP-2).
HALF_ORDER: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168
DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
VOUCHER_TYPE: constant(bytes32) = keccak256("Voucher(bytes32 channelId,uint256 cumulative,bytes32 receipt)")
NAME: constant(bytes32) = keccak256("Shoal Settlement")
VERSION: constant(bytes32) = keccak256("1")

event ChannelOpened:
    channelId: indexed(bytes32)
    payer: indexed(address)
    payee: indexed(address)
    signer: address
    epoch: uint256
    deposit: uint256

event ChannelFunded:
    channelId: indexed(bytes32)
    added: uint256
    deposit: uint256

event Redeemed:
    channelId: indexed(bytes32)
    payee: indexed(address)
    receipt: indexed(bytes32)
    paid: uint256
    redeemed: uint256

event CloseRequested:
    channelId: indexed(bytes32)
    payee: indexed(address)
    closesAt: uint256

event CloseCancelled:
    channelId: indexed(bytes32)

event ChannelClosed:
    channelId: indexed(bytes32)
    payer: indexed(address)
    payee: indexed(address)
    refunded: uint256

struct Channel:
    payer: address
    payee: address
    # Whose vouchers count.
    signer: address
    deposit: uint256
    redeemed: uint256
    # When anyone may close it; 0: nobody asked.
    closesAt: uint256

struct Claim:
    channelId: bytes32
    cumulative: uint256
    receipt: bytes32
    v: uint8
    r: bytes32
    s: bytes32

# Zero: the chain's own coin; else an ERC-20.
token: public(immutable(address))
challengeSeconds: public(immutable(uint256))
channels: public(HashMap[bytes32, Channel])
# Payer, payee: how many channels of theirs are closed.
epochOf: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__(_token: address, _challengeSeconds: uint256):
    assert _challengeSeconds > 0 and _challengeSeconds <= MAX_CHALLENGE, "challenge"
    token = _token
    challengeSeconds = _challengeSeconds


@internal
@view
def _separator() -> bytes32:
    return keccak256(abi_encode(DOMAIN_TYPE, NAME, VERSION, chain.id, self))


@external
@view
def domainSeparator() -> bytes32:
    return self._separator()


@internal
@view
def _voucherDigest(channelId: bytes32, cumulative: uint256, receipt: bytes32) -> bytes32:
    voucher: bytes32 = keccak256(abi_encode(VOUCHER_TYPE, channelId, cumulative, receipt))
    return keccak256(concat(b"\x19\x01", self._separator(), voucher))


@external
@view
def voucherDigest(channelId: bytes32, cumulative: uint256, receipt: bytes32) -> bytes32:
    return self._voucherDigest(channelId, cumulative, receipt)


@internal
@pure
def _idOf(payer: address, payee: address, epoch: uint256) -> bytes32:
    return keccak256(abi_encode(payer, payee, epoch))


@external
@view
def channelOf(payer: address, payee: address) -> bytes32:
    return self._idOf(payer, payee, self.epochOf[payer][payee])


@internal
@payable
def _take(amount: uint256):
    if token == empty(address):
        assert msg.value == amount, "value"
        return
    assert msg.value == 0, "value"
    held: uint256 = staticcall IERC20(token).balanceOf(self)
    assert extcall IERC20(token).transferFrom(msg.sender, self, amount, default_return_value=True), "transferFrom"
    # A token that keeps a fee would let one channel eat another's deposit.
    assert staticcall IERC20(token).balanceOf(self) == held + amount, "fee on transfer"


@internal
def _give(to: address, amount: uint256):
    if amount == 0:
        return
    if token == empty(address):
        raw_call(to, b"", value=amount)
    else:
        assert extcall IERC20(token).transfer(to, amount, default_return_value=True), "transfer"


@internal
def _fund(payee: address, signer: address, amount: uint256):
    assert payee != empty(address) and payee != msg.sender, "payee"
    assert amount > 0, "amount"
    epoch: uint256 = self.epochOf[msg.sender][payee]
    channelId: bytes32 = self._idOf(msg.sender, payee, epoch)
    channel: Channel = self.channels[channelId]
    if channel.payer == empty(address):
        channel.payer = msg.sender
        channel.payee = payee
        channel.signer = signer if signer != empty(address) else msg.sender
        channel.deposit = amount
        log ChannelOpened(
            channelId=channelId, payer=msg.sender, payee=payee, signer=channel.signer, epoch=epoch, deposit=amount)
    else:
        assert channel.closesAt == 0, "closing"
        assert signer == empty(address) or signer == channel.signer, "signer"
        channel.deposit += amount
        log ChannelFunded(channelId=channelId, added=amount, deposit=channel.deposit)
    assert channel.deposit <= convert(max_value(uint128), uint256), "too large"
    self.channels[channelId] = channel


@external
@payable
def open(payees: DynArray[address, MAX_BATCH], amounts: DynArray[uint256, MAX_BATCH], signer: address):
    """@notice Opens a channel to each payee, or adds to it: a whole group of peers in one transaction."""
    assert len(payees) > 0 and len(payees) == len(amounts), "lengths"
    total: uint256 = 0
    for amount: uint256 in amounts:
        total += amount
    self._take(total)
    for i: uint256 in range(len(payees), bound=MAX_BATCH):
        self._fund(payees[i], signer, amounts[i])


@internal
def _redeem(claim: Claim, isStrict: bool) -> uint256:
    channel: Channel = self.channels[claim.channelId]
    # More than the deposit pays the deposit; the rest can be redeemed after a top-up.
    due: uint256 = min(claim.cumulative, channel.deposit)
    if due <= channel.redeemed and not isStrict:
        # Closed or redeemed by somebody else meanwhile: no reason to fail a whole batch.
        return 0
    assert channel.payer != empty(address), "no channel"
    assert due > channel.redeemed, "nothing due"
    assert claim.v == 27 or claim.v == 28, "v"
    assert convert(claim.s, uint256) <= HALF_ORDER, "high s"
    digest: bytes32 = self._voucherDigest(claim.channelId, claim.cumulative, claim.receipt)
    signer: address = ecrecover(digest, claim.v, claim.r, claim.s)
    assert signer != empty(address) and signer == channel.signer, "signature"
    paid: uint256 = due - channel.redeemed
    self.channels[claim.channelId].redeemed = due
    log Redeemed(
        channelId=claim.channelId, payee=channel.payee, receipt=claim.receipt, paid=paid, redeemed=due)
    self._give(channel.payee, paid)
    return paid


@external
def redeem(claim: Claim) -> uint256:
    """@notice Anyone may send it for a payee that is away: only the payee is paid."""
    return self._redeem(claim, True)


@external
def redeemMany(claims: DynArray[Claim, MAX_BATCH]):
    for claim: Claim in claims:
        self._redeem(claim, False)


@internal
@view
def _ofSender(channelId: bytes32) -> Channel:
    channel: Channel = self.channels[channelId]
    assert channel.payer == msg.sender, "not payer"
    return channel


@external
def requestClose(channelId: bytes32):
    channel: Channel = self._ofSender(channelId)
    assert channel.closesAt == 0, "closing"
    closesAt: uint256 = block.timestamp + challengeSeconds
    self.channels[channelId].closesAt = closesAt
    log CloseRequested(channelId=channelId, payee=channel.payee, closesAt=closesAt)


@external
def cancelClose(channelId: bytes32):
    channel: Channel = self._ofSender(channelId)
    assert channel.closesAt != 0, "open"
    self.channels[channelId].closesAt = 0
    log CloseCancelled(channelId=channelId)


@external
def close(channelId: bytes32):
    """@notice The payee at any time, giving up what it did not redeem; anyone once the challenge time is over."""
    channel: Channel = self.channels[channelId]
    assert channel.payer != empty(address), "no channel"
    isOver: bool = channel.closesAt != 0 and block.timestamp >= channel.closesAt
    assert msg.sender == channel.payee or isOver, "not yet"
    refund: uint256 = channel.deposit - channel.redeemed
    self.channels[channelId] = empty(Channel)
    self.epochOf[channel.payer][channel.payee] += 1
    log ChannelClosed(channelId=channelId, payer=channel.payer, payee=channel.payee, refunded=refund)
    self._give(channel.payer, refund)
