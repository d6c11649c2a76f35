"""Peers with bonds: coming, going, and the one fault that costs a bond."""

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from machines import CHAIN, Contract

UNBOND = 7200
CHANNELS = "0x" + "11" * 20
NODE = b"\x0a" * 32
BURNED = "0x000000000000000000000000000000000000dEaD"
FIELDS = [
    ("channelId", "bytes32"), ("session", "bytes32"), ("sequence", "uint64"), ("previous", "bytes32"),
    ("manifestHash", "bytes32"), ("planHash", "bytes32"), ("atoms", "bytes32"), ("tokens", "uint64"),
    ("workUnits", "uint64"), ("cumulative", "uint256"), ("inputHash", "bytes32"), ("outputHash", "bytes32")]


@pytest.fixture
def nodes(machine, builds, people):
    return Contract(machine, builds["NodeRegistry"], people[0], CHANNELS, UNBOND)


@pytest.fixture
def operator(nodes, people):
    nodes.send(people[1], "register", NODE, "203.0.113.1:7433", value=1000)
    return people[1]


def receipt(sequence=1, output=b"\x01", session=b"\x02"):
    word = lambda b: b * 32
    return (word(b"\x05"), word(session), sequence, bytes(32), word(b"\x06"), word(b"\x07"), word(b"\x08"), 32, 1000,
            1000, word(b"\x09"), word(output))


def sign(person, statement, contract=CHANNELS):
    message = encode_typed_data(
        domain_data={"name": "Shoal Settlement", "version": "1", "chainId": CHAIN, "verifyingContract": contract},
        message_types={"Receipt": [{"name": n, "type": t} for n, t in FIELDS]},
        message_data=dict(zip([n for n, _ in FIELDS], statement)))
    signed = Account.sign_message(message, person.key)
    return (signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"))


def test_two_receipts_for_one_place_cost_the_bond(nodes, operator, people, machine):
    a, b = receipt(output=b"\x01"), receipt(output=b"\x02")
    before = machine.balance(BURNED)
    outcome = nodes.send(people[3], "slash", operator.address, a, sign(operator, a), b, sign(operator, b))
    [(event, fields)] = nodes.logged(outcome)
    assert (event, fields["reward"], fields["burned"]) == ("NodeSlashed", 100, 900)
    assert machine.balance(BURNED) - before == 900
    nodes.refuses("no bond", people[3], "slash", operator.address, a, sign(operator, a), b, sign(operator, b))


def test_nothing_else_costs_a_bond(nodes, operator, people):
    a, b = receipt(output=b"\x01"), receipt(output=b"\x02")
    good = sign(operator, a), sign(operator, b)
    sends = lambda reason, *arguments: nodes.refuses(reason, people[3], "slash", *arguments)
    sends("one receipt", operator.address, a, good[0], a, good[0])
    other = receipt(sequence=2)
    sends("not one place", operator.address, a, good[0], other, sign(operator, other))
    other = receipt(session=b"\x03", output=b"\x02")
    sends("not one place", operator.address, a, good[0], other, sign(operator, other))
    sends("signature b", operator.address, a, good[0], b, sign(people[4], b))
    sends("signature a", operator.address, a, sign(people[4], a), b, good[1])
    # Receipts of another contract's channels.
    sends("signature a", operator.address, a, sign(operator, a, people[5].address), b, good[1])
    sends("signature a", people[4].address, a, good[0], b, good[1])
    assert nodes.get(people[3], "nodes", operator.address)[1] == 1000


def test_a_bond_comes_back_after_the_unbonding_time_and_can_be_lost_within_it(nodes, operator, people, machine):
    nodes.refuses("not yet", operator, "withdraw")
    nodes.send(operator, "leave")
    nodes.refuses("not active", operator, "leave")
    nodes.refuses("not active", operator, "addBond", value=1)
    nodes.refuses("not yet", operator, "withdraw")
    machine.pass_time(UNBOND)
    [(event, fields)] = nodes.logged(nodes.send(operator, "withdraw"))
    assert (event, fields["returned"]) == ("NodeLeft", 1000)
    nodes.send(operator, "register", NODE, "", value=5)
    nodes.send(operator, "leave")
    a, b = receipt(output=b"\x01"), receipt(output=b"\x02")
    nodes.send(people[3], "slash", operator.address, a, sign(operator, a), b, sign(operator, b))


def test_an_operator_registers_once_and_changes_what_is_its_own(nodes, operator, people):
    nodes.refuses("registered", operator, "register", NODE, "")
    nodes.refuses("node id", people[4], "register", bytes(32), "")
    nodes.refuses("not active", people[4], "update", "x")
    [(event, fields)] = nodes.logged(nodes.send(operator, "update", "198.51.100.2:7433"))
    assert (event, fields["endpoint"]) == ("NodeUpdated", "198.51.100.2:7433")
    [(event, fields)] = nodes.logged(nodes.send(operator, "addBond", value=7))
    assert (event, fields["bond"]) == ("BondAdded", 1007)
