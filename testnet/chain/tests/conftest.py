"""What each test gets: a fresh machine of each kind, and accounts with coin."""

import json
from pathlib import Path

import pytest

from machines import PyEVM, Revm, account

BUILD = Path(__file__).resolve().parents[3] / "Sources/ShoalEthereum/Bytecode"


@pytest.fixture(scope="session")
def builds():
    return {path.stem: json.loads(path.read_text()) for path in BUILD.glob("*.json")}


@pytest.fixture(scope="session")
def people():
    return [account(number) for number in range(1, 9)]


@pytest.fixture(params=[PyEVM, Revm], ids=["py-evm", "revm"])
def machine(request, people):
    return request.param(people)
