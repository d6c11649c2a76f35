"""Names of models: whose they are, and that a change which comes late or twice fails."""

import pytest
from eth_abi import encode
from eth_utils import keccak

from machines import Contract

HASH, OTHER = b"\x01" * 32, b"\x02" * 32


@pytest.fixture
def registry(machine, builds, people):
    return Contract(machine, builds["ModelRegistry"], people[0])


def id_of(account, name):
    return keccak(encode(["address", "bytes32"], [account.address, keccak(text=name)]))


def test_a_name_is_its_publishers_and_the_id_is_the_hash_of_both(registry, people):
    for person in people[:2]:
        outcome = registry.send(person, "register", "story", HASH, "hf:a/b")
        [(event, fields)] = registry.logged(outcome)
        assert event == "ModelRegistered"
        assert fields["modelId"] == outcome.output == id_of(person, "story")
        assert (fields["revision"], fields["name"], fields["uri"]) == (1, "story", "hf:a/b")
    assert registry.get(people[2], "idOf", people[0].address, "story") == id_of(people[0], "story")


def test_a_name_is_registered_once(registry, people):
    registry.send(people[0], "register", "story", HASH, "")
    registry.refuses("name taken", people[0], "register", "story", OTHER, "")


def test_empty_names_and_hashes_are_refused(registry, people):
    registry.refuses("empty name", people[0], "register", "", HASH, "")
    registry.refuses("empty hash", people[0], "register", "story", bytes(32), "")


def test_a_change_that_comes_late_or_twice_fails(registry, people):
    registry.send(people[0], "register", "story", HASH, "")
    model = id_of(people[0], "story")
    registry.refuses("revision", people[0], "update", model, 2, OTHER, "")
    registry.send(people[0], "update", model, 1, OTHER, "")
    registry.refuses("revision", people[0], "update", model, 1, HASH, "")
    assert registry.get(people[0], "records", model)[1:] == (2, False, OTHER)


def test_only_the_publisher_changes_a_name(registry, people):
    registry.send(people[0], "register", "story", HASH, "")
    model = id_of(people[0], "story")
    registry.refuses("not publisher", people[1], "update", model, 1, OTHER, "")
    registry.refuses("not publisher", people[1], "retire", model, 1)
    registry.refuses("not publisher", people[1], "retire", id_of(people[1], "none"), 0)


def test_a_retired_name_can_come_back(registry, people):
    registry.send(people[0], "register", "story", HASH, "")
    model = id_of(people[0], "story")
    [(event, fields)] = registry.logged(registry.send(people[0], "retire", model, 1))
    assert (event, fields["revision"]) == ("ModelRetired", 2)
    registry.refuses("retired", people[0], "retire", model, 2)
    registry.send(people[0], "update", model, 2, OTHER, "")
    assert registry.get(people[0], "records", model)[1:] == (3, False, OTHER)
