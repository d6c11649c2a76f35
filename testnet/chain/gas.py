#!/usr/bin/env python3
"""Prints what the contracts' calls cost in gas, on py-evm with Cancun's rules: the table of docs/LEDGER.md."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BYTECODE = HERE.parent.parent / "Sources/ShoalEthereum/Bytecode"
sys.path.insert(0, str(HERE / "tests"))

from machines import Contract, PyEVM, account  # noqa: E402
from test_payment_channels import NOBODY, voucher  # noqa: E402

HASH = b"\x01" * 32


def main():
    people = [account(number) for number in range(1, 40)]
    machine = PyEVM(people)
    builds = {path.stem: json.loads(path.read_text()) for path in BYTECODE.glob("*.json")}
    models = Contract(machine, builds["ModelRegistry"], people[0])
    channels = Contract(machine, builds["PaymentChannels"], people[0], NOBODY, 3600)
    nodes = Contract(machine, builds["NodeRegistry"], people[0], channels.address, 3600)
    rows = [(f"deploy {name}", contract.deploy_gas) for name, contract in
            [("ModelRegistry", models), ("NodeRegistry", nodes), ("PaymentChannels", channels)]]

    def row(name, contract, *call, value=0, per=1):
        outcome = contract.send(*call, value=value)
        rows.append((name, outcome.gas // per))
        return outcome

    model = row("register a model", models, people[1], "register", "story", HASH, "hf:a/b").output
    row("update it", models, people[1], "update", model, 1, b"\x02" * 32, "hf:a/b")
    row("retire it", models, people[1], "retire", model, 2)
    row("register a node with a bond", nodes, people[1], "register", HASH, "203.0.113.1:7433", value=1000)

    payer, one, group = people[2], people[3], people[4:12]
    row("open one channel", channels, payer, "open", [one.address], [1000], NOBODY, value=1000)
    addresses = [person.address for person in group]
    row("open eight at once, each", channels, payer, "open", addresses, [1000] * 8, NOBODY, value=8000, per=8)

    def id_of(person):
        return channels.get(payer, "channelOf", payer.address, person.address)

    row("redeem, first time", channels, people[20], "redeem", voucher(channels, payer, id_of(one), 10))
    row("redeem, later", channels, people[20], "redeem", voucher(channels, payer, id_of(one), 20))
    claims = [voucher(channels, payer, id_of(person), 10) for person in group]
    row("redeem eight at once, each", channels, people[20], "redeemMany", claims, per=8)
    row("ask to close", channels, payer, "requestClose", id_of(group[0]))
    row("close", channels, one, "close", id_of(one))

    print("| call | gas |")
    print("|---|---|")
    for name, gas in rows:
        print(f"| {name} | {gas:,} |")


if __name__ == "__main__":
    main()
