"""Pay through channels: what is paid, and everything that must not be."""

from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from machines import CHAIN, Contract

NOBODY = "0x" + "00" * 20
CHALLENGE = 3600
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
RECEIPT = b"\x07" * 32


@pytest.fixture
def channels(machine, builds, people):
    return Contract(machine, builds["PaymentChannels"], people[0], NOBODY, CHALLENGE)


@pytest.fixture
def payer(people):
    return people[1]


@pytest.fixture
def payee(people):
    return people[2]


@pytest.fixture
def channel(channels, payer, payee):
    channels.send(payer, "open", [payee.address], [1000], NOBODY, value=1000)
    return channels.get(payer, "channelOf", payer.address, payee.address)


def voucher(channels, signer, channel, cumulative, *, chain=CHAIN, contract=None, receipt=RECEIPT):
    """A claim with the signature of `signer`."""
    message = encode_typed_data(
        domain_data={
            "name": "Shoal Settlement",
            "version": "1",
            "chainId": chain,
            "verifyingContract": contract or channels.address,
        },
        message_types={
            "Voucher": [
                {"name": "channelId", "type": "bytes32"},
                {"name": "cumulative", "type": "uint256"},
                {"name": "receipt", "type": "bytes32"},
            ]
        },
        message_data={"channelId": channel, "cumulative": cumulative, "receipt": receipt},
    )
    signed = Account.sign_message(message, signer.key)
    return (channel, cumulative, receipt, signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"))


def earned(channels, payee, act):
    """What the payee's balance grows by, `act` being sent by somebody else."""
    before = channels.machine.balance(payee.address)
    act()
    return channels.machine.balance(payee.address) - before


def test_the_largest_voucher_is_paid_to_the_payee_whoever_sends_it(channels, channel, payer, payee, people):
    claim = voucher(channels, payer, channel, 300)
    assert earned(channels, payee, lambda: channels.send(people[5], "redeem", claim)) == 300
    claim = voucher(channels, payer, channel, 450)
    assert earned(channels, payee, lambda: channels.send(people[5], "redeem", claim)) == 150


def test_a_voucher_replayed_or_older_pays_nothing(channels, channel, payer, people):
    claim, older = voucher(channels, payer, channel, 300), voucher(channels, payer, channel, 299)
    channels.send(people[5], "redeem", claim)
    channels.refuses("nothing due", people[5], "redeem", claim)
    channels.refuses("nothing due", people[5], "redeem", older)


def test_a_voucher_over_the_deposit_pays_the_deposit_and_the_rest_after_a_top_up(channels, channel, payer, payee, people):
    claim = voucher(channels, payer, channel, 1500)
    assert earned(channels, payee, lambda: channels.send(people[5], "redeem", claim)) == 1000
    channels.refuses("nothing due", people[5], "redeem", claim)
    channels.send(payer, "open", [payee.address], [600], NOBODY, value=600)
    assert earned(channels, payee, lambda: channels.send(people[5], "redeem", claim)) == 500


def test_vouchers_for_another_channel_chain_or_contract_are_refused(channels, channel, payer, payee, people):
    channels.send(people[3], "open", [payee.address], [1000], NOBODY, value=1000)
    other = channels.get(payer, "channelOf", people[3].address, payee.address)
    wrong = [
        voucher(channels, payer, other, 10),
        voucher(channels, payer, channel, 10, chain=CHAIN + 1),
        voucher(channels, payer, channel, 10, contract=people[7].address),
        voucher(channels, people[4], channel, 10),
        # Of this channel, with another sum or another receipt than was signed.
        (*voucher(channels, payer, channel, 10)[:1], 11, *voucher(channels, payer, channel, 10)[2:]),
        (*voucher(channels, payer, channel, 10)[:2], bytes(32), *voucher(channels, payer, channel, 10)[3:]),
    ]
    for claim in wrong:
        channels.refuses("signature", people[5], "redeem", claim)
    missing = voucher(channels, payer, b"\x09" * 32, 10)
    channels.refuses("no channel", people[5], "redeem", missing)


def test_a_signature_has_one_form(channels, channel, payer, people):
    claim = voucher(channels, payer, channel, 10)
    v, r, s = claim[3:]
    high = (ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    channels.refuses("high s", people[5], "redeem", (*claim[:3], 55 - v, r, high))
    for mark in (0, 1, 26, 29):
        channels.refuses("v", people[5], "redeem", (*claim[:3], mark, r, s))
    channels.refuses("signature", people[5], "redeem", (*claim[:3], 27, bytes(32), bytes(32)))


def test_vouchers_die_with_their_epoch(channels, channel, payer, payee, people):
    claim = voucher(channels, payer, channel, 100)
    channels.send(payee, "close", channel)
    channels.refuses("no channel", people[5], "redeem", claim)
    channels.send(payer, "open", [payee.address], [1000], NOBODY, value=1000)
    renewed = channels.get(payer, "channelOf", payer.address, payee.address)
    assert renewed != channel
    channels.refuses("no channel", people[5], "redeem", claim)
    again = voucher(channels, payer, renewed, 100)
    assert earned(channels, payee, lambda: channels.send(people[5], "redeem", again)) == 100


def test_a_payer_closes_after_the_challenge_time_and_a_watchtower_redeems_within_it(
    channels, channel, payer, payee, people, machine
):
    channels.refuses("not yet", payer, "close", channel)
    channels.refuses("not payer", people[5], "requestClose", channel)
    channels.send(payer, "requestClose", channel)
    channels.refuses("closing", payer, "requestClose", channel)
    channels.refuses("closing", payer, "open", [payee.address], [1], NOBODY, value=1)
    channels.refuses("not yet", payer, "close", channel)
    claim = voucher(channels, payer, channel, 400)
    assert earned(channels, payee, lambda: channels.send(people[5], "redeem", claim)) == 400
    machine.pass_time(CHALLENGE)
    refund = earned(channels, payer, lambda: channels.send(people[5], "close", channel))
    assert refund == 600


def test_a_closing_can_be_cancelled(channels, channel, payer, machine):
    channels.refuses("open", payer, "cancelClose", channel)
    channels.send(payer, "requestClose", channel)
    channels.send(payer, "cancelClose", channel)
    machine.pass_time(2 * CHALLENGE)
    channels.refuses("not yet", payer, "close", channel)


def test_a_payee_closes_at_once_and_gives_up_what_it_did_not_redeem(channels, channel, payer, payee):
    assert earned(channels, payer, lambda: channels.send(payee, "close", channel)) == 1000


def test_a_group_is_opened_in_one_transaction(channels, payer, people):
    group = [p.address for p in people[2:6]]
    outcome = channels.send(payer, "open", group, [10, 20, 30, 40], NOBODY, value=100)
    opened = [fields["deposit"] for name, fields in channels.logged(outcome) if name == "ChannelOpened"]
    assert opened == [10, 20, 30, 40]
    channels.refuses("value", payer, "open", group, [10, 20, 30, 40], NOBODY, value=99)
    channels.refuses("lengths", payer, "open", group, [10], NOBODY, value=10)
    channels.refuses("lengths", payer, "open", [], [], NOBODY)
    channels.refuses("payee", payer, "open", [payer.address], [1], NOBODY, value=1)
    channels.refuses("payee", payer, "open", [NOBODY], [1], NOBODY, value=1)
    channels.refuses("amount", payer, "open", [people[7].address], [0], NOBODY)


def test_another_key_can_sign_for_a_channel_and_only_that(channels, payer, payee, people):
    channels.send(payer, "open", [payee.address], [100], people[6].address, value=100)
    channel = channels.get(payer, "channelOf", payer.address, payee.address)
    channels.refuses("signature", people[5], "redeem", voucher(channels, payer, channel, 10))
    channels.send(people[5], "redeem", voucher(channels, people[6], channel, 10))
    channels.refuses("signer", payer, "open", [payee.address], [1], people[5].address, value=1)


def test_one_claim_of_a_batch_that_pays_nothing_fails_no_other(channels, payer, people):
    group = people[2:6]
    channels.send(payer, "open", [p.address for p in group], [100] * 4, NOBODY, value=400)
    ids = [channels.get(payer, "channelOf", payer.address, p.address) for p in group]
    claims = [voucher(channels, payer, i, 50) for i in ids]
    channels.send(people[7], "redeem", claims[1])
    channels.send(group[2], "close", ids[2])
    before = [channels.machine.balance(p.address) for p in (group[0], group[3])]
    channels.send(people[7], "redeemMany", claims)
    after = [channels.machine.balance(p.address) for p in (group[0], group[3])]
    assert [a - b for a, b in zip(after, before)] == [50, 50]


def test_digest_and_separator_are_those_of_the_wallets(channels, channel, payer):
    message = encode_typed_data(
        domain_data={
            "name": "Shoal Settlement", "version": "1", "chainId": CHAIN, "verifyingContract": channels.address},
        message_types={"Voucher": [
            {"name": "channelId", "type": "bytes32"}, {"name": "cumulative", "type": "uint256"},
            {"name": "receipt", "type": "bytes32"}]},
        message_data={"channelId": channel, "cumulative": 5, "receipt": RECEIPT})
    assert channels.get(payer, "domainSeparator") == message.header


def test_the_challenge_time_has_bounds(machine, builds, people):
    for seconds in (0, 31 * 86400):
        with pytest.raises(AssertionError):
            Contract(machine, builds["PaymentChannels"], people[0], NOBODY, seconds)


def test_no_sum_of_deposits_leaves_its_bounds(channels, payer, payee):
    channels.refuses("too large", payer, "open", [payee.address], [2**128], NOBODY, value=2**128)
    channels.send(payer, "open", [payee.address], [2**128 - 1], NOBODY, value=2**128 - 1)
    channels.refuses("too large", payer, "open", [payee.address], [1], NOBODY, value=1)


@pytest.fixture
def token_build():
    vyper = pytest.importorskip("vyper", reason="the token of these tests is compiled here")
    source = (Path(__file__).parent / "tokens" / "Token.vy").read_text()
    output = vyper.compile_code(source, output_formats=["abi", "bytecode"])
    return {"abi": output["abi"], "bytecode": output["bytecode"]}


def test_a_channel_can_hold_a_token(machine, builds, token_build, payer, payee, people):
    token = Contract(machine, token_build, payer, 0)
    channels = Contract(machine, builds["PaymentChannels"], people[0], token.address, CHALLENGE)
    channels.refuses("value", payer, "open", [payee.address], [100], NOBODY, value=100)
    token.send(payer, "approve", channels.address, 100)
    channels.send(payer, "open", [payee.address], [100], NOBODY)
    channel = channels.get(payer, "channelOf", payer.address, payee.address)
    channels.send(people[5], "redeem", voucher(channels, payer, channel, 30))
    assert token.get(payer, "balanceOf", payee.address) == 30
    channels.send(payee, "close", channel)
    assert token.get(payer, "balanceOf", channels.address) == 0


def test_a_token_that_keeps_a_fee_is_refused(machine, builds, token_build, payer, payee, people):
    token = Contract(machine, token_build, payer, 1)
    channels = Contract(machine, builds["PaymentChannels"], people[0], token.address, CHALLENGE)
    token.send(payer, "approve", channels.address, 100)
    channels.refuses("fee on transfer", payer, "open", [payee.address], [100], NOBODY)
