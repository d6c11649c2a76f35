"""Two independent EVMs behind one small face: py-evm and revm. Each test runs on both."""

import re
from dataclasses import dataclass, field

import pyrevm
from eth_abi import decode, encode
from eth_account import Account
from eth_tester.backends.pyevm.main import PyEVMBackend
from eth_utils import keccak, to_checksum_address

CHAIN = 1337
WEALTH = 2**140


@dataclass
class Outcome:
    """What a transaction did. `reason` is a revert's text; None: it succeeded."""

    reason: str | None
    output: bytes
    gas: int
    logs: list = field(default_factory=list)


class Revert(Exception):
    pass


def reason_of(output: bytes) -> str:
    if output[:4] == keccak(text="Error(string)")[:4]:
        return decode(["string"], output[4:])[0]
    return "reverted"


class PyEVM:
    """Real transactions in real blocks."""

    name = "py-evm"

    def __init__(self, accounts):
        genesis = {
            bytes.fromhex(a.address[2:]): {"balance": WEALTH, "nonce": 0, "code": b"", "storage": {}}
            for a in accounts
        }
        self.backend = PyEVMBackend(genesis_state=genesis)
        self.backend.chain.chain_id = CHAIN
        type(self.backend.chain).chain_id = CHAIN
        self.seconds = 1_900_000_000

    def pass_time(self, seconds: int):
        self.seconds += seconds

    def transact(self, account, to, data, value=0) -> Outcome:
        chain = self.backend.chain
        self.seconds += 1
        chain.header = chain.header.copy(timestamp=max(self.seconds, chain.header.timestamp))
        state = chain.get_vm().state
        signed = account.sign_transaction(
            {
                "type": 2,
                "chainId": CHAIN,
                "nonce": state.get_nonce(bytes.fromhex(account.address[2:])),
                "gas": 6_000_000,
                "maxFeePerGas": 10**11,
                "maxPriorityFeePerGas": 0,
                "to": to if to else b"",
                "data": data,
                "value": value,
            }
        )
        raw = getattr(signed, "raw_transaction", None) or signed.rawTransaction
        transaction = chain.get_vm().get_transaction_builder().decode(bytes(raw))
        _, receipt, computation = chain.apply_transaction(transaction)
        self.backend.mine_blocks(1)
        output = bytes(computation.output or b"")
        logs = [
            (to_checksum_address(log.address), [t.to_bytes(32, "big") for t in log.topics], bytes(log.data))
            for log in receipt.logs
        ]
        if computation.is_error:
            return Outcome(reason_of(output), output, receipt.gas_used)
        if not to:
            output = computation.msg.storage_address
        return Outcome(None, output, receipt.gas_used, logs)

    def balance(self, address) -> int:
        return self.backend.chain.get_vm().state.get_balance(bytes.fromhex(address[2:]))


class Revm:
    """The same calls by revm, which geth's rivals run. Gas is that of execution alone."""

    name = "revm"

    def __init__(self, accounts):
        self.seconds = 1_900_000_000
        env = pyrevm.Env(cfg=pyrevm.CfgEnv(chain_id=CHAIN))
        self.evm = pyrevm.EVM(env=env, spec_id="CANCUN")
        for account in accounts:
            self.evm.set_balance(account.address, WEALTH)
        self.block()

    def block(self):
        self.seconds += 1
        self.evm.set_block_env(pyrevm.BlockEnv(timestamp=self.seconds, gas_limit=30_000_000))

    def pass_time(self, seconds: int):
        self.seconds += seconds

    def transact(self, account, to, data, value=0) -> Outcome:
        self.block()
        try:
            if to:
                output = self.evm.message_call(account.address, to, data, value, gas=6_000_000)
            else:
                made = self.evm.deploy(account.address, data, value, gas=6_000_000)
                output = bytes.fromhex(made[2:])
        except RuntimeError as error:
            # revm's account of it: "Revert { gas_used: .., output: 0x.. }", or why it halted.
            found = re.search(r"output: 0x([0-9a-f]*)", str(error))
            output = bytes.fromhex(found[1]) if found else b""
            return Outcome(reason_of(output), output, 0)
        result = self.evm.result
        logs = [(log.address, [bytes.fromhex(t[2:]) for t in log.topics], bytes(log.data[1])) for log in result.logs]
        return Outcome(None, bytes(output), result.gas_used, logs)

    def balance(self, address) -> int:
        return self.evm.get_balance(address)


class Contract:
    """A deployed contract: calls by name, events by name."""

    def __init__(self, machine, build, deployer, *arguments):
        self.machine, self.build = machine, build
        kinds = next((e["inputs"] for e in build["abi"] if e["type"] == "constructor"), [])
        data = bytes.fromhex(build["bytecode"][2:]) + encode([kind(i) for i in kinds], arguments)
        outcome = machine.transact(deployer, None, data)
        assert outcome.reason is None, outcome
        self.address = to_checksum_address(outcome.output)
        self.deploy_gas = outcome.gas
        self.functions = {e["name"]: e for e in build["abi"] if e["type"] == "function"}
        self.events = {topic(e): e for e in build["abi"] if e["type"] == "event"}

    def data(self, name, *arguments) -> bytes:
        kinds = [kind(i) for i in self.functions[name]["inputs"]]
        return keccak(text=f"{name}({','.join(kinds)})")[:4] + encode(kinds, arguments)

    def send(self, account, name, *arguments, value=0) -> Outcome:
        """A transaction that must succeed."""
        outcome = self.machine.transact(account, self.address, self.data(name, *arguments), value)
        if outcome.reason is not None:
            raise Revert(outcome.reason)
        return outcome

    def refuses(self, reason, account, name, *arguments, value=0):
        """A transaction that must revert with this text."""
        outcome = self.machine.transact(account, self.address, self.data(name, *arguments), value)
        assert outcome.reason == reason, outcome

    def get(self, account, name, *arguments):
        outcome = self.send(account, name, *arguments)
        values = decode([kind(o) for o in self.functions[name]["outputs"]], outcome.output)
        return values[0] if len(values) == 1 else values

    def logged(self, outcome):
        """(event's name, its fields) of each log of this contract."""
        found = []
        for address, topics, data in outcome.logs:
            if address.lower() != self.address.lower():
                continue
            event = self.events[topics[0]]
            indexed = [i for i in event["inputs"] if i["indexed"]]
            plain = [i for i in event["inputs"] if not i["indexed"]]
            fields = {i["name"]: decode([i["type"]], t)[0] for i, t in zip(indexed, topics[1:])}
            fields |= dict(zip([i["name"] for i in plain], decode([kind(i) for i in plain], data)))
            found.append((event["name"], fields))
        return found


def kind(entry) -> str:
    if entry["type"].startswith("tuple"):
        return f"({','.join(kind(c) for c in entry['components'])})" + entry["type"][5:]
    return entry["type"]


def topic(event) -> bytes:
    return keccak(text=f"{event['name']}({','.join(kind(i) for i in event['inputs'])})")


def account(number: int):
    return Account.from_key(number.to_bytes(32, "big"))
