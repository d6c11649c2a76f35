#!/usr/bin/env python3
"""A development chain: py-evm (Prague's rules) behind Ethereum's JSON-RPC, on loopback.

    testnet/chain/up.sh [--port 8545] [--block-time SECONDS]

Real execution, blocks, receipts and signature checks; no peers, no consensus, nothing kept. One block for each
transaction unless --block-time is given. Accounts 1 to 10 (the secret keys are the numbers) have a million coins each.

For tests of clients it can misbehave: `dev_snapshot` and `dev_revert` make a reorganisation, `dev_fault` breaks
answers ({"http": 503, "count": 3}, {"drop": true}, {"after": true}: executed, but the answer is lost).
"""

import argparse
import asyncio
import itertools
import json
import time

import rlp
from aiohttp import web
from eth.exceptions import HeaderNotFound
from eth.vm.spoof import SpoofTransaction
from eth_abi import decode
from eth_account import Account
from eth_tester.backends.pyevm.main import PyEVMBackend, _get_vm_for_block_number
from eth_utils import ValidationError, keccak

TIP = 10**9
CALL_GAS = 25_000_000
BATCH_LIMIT = 100
METHODS = {}


def rpc(name):
    def register(function):
        METHODS[name] = function
        return function

    return register


class Refused(Exception):
    def __init__(self, code, message, data=None):
        super().__init__(message)
        self.code, self.data = code, data


def text(data: bytes) -> str:
    return "0x" + bytes(data).hex()


def data_of(value) -> bytes:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise Refused(-32602, f"hexadecimal data expected, found {value!r}")
    return bytes.fromhex(value[2:])


def number_of(value) -> int:
    return value if isinstance(value, int) else int(value, 16)


def word(number: int) -> str:
    return f"0x{number:064x}"


class Chain:
    def __init__(self, chain_id, block_time=None, max_range=None, finalized=2):
        genesis = {}
        for secret in range(1, 11):
            address = Account.from_key(secret.to_bytes(32, "big")).address
            genesis[data_of(address)] = {"balance": 10**24, "nonce": 0, "code": b"", "storage": {}}
        self.backend = PyEVMBackend(genesis_state=genesis)
        type(self.backend.chain).chain_id = chain_id
        self.chain_id, self.block_time, self.max_range, self.finalized = chain_id, block_time, max_range, finalized
        self.snapshots, self.names, self.waiting = {}, itertools.count(1), []
        self.skipped_seconds, self.fault = 0, None

    # --- blocks ---------------------------------------------------------------------------------

    @property
    def chain(self):
        return self.backend.chain

    @property
    def head(self) -> int:
        return self.chain.get_block().number - 1

    def height(self, tag) -> int:
        if tag in (None, "latest", "pending"):
            return self.head
        if tag == "earliest":
            return 0
        if tag in ("finalized", "safe"):
            return max(0, self.head - self.finalized)
        return number_of(tag)

    def block(self, height):
        return self.chain.get_canonical_block_by_number(height) if 0 <= height <= self.head else None

    def block_of_hash(self, name):
        """The block, if it is on the chain: one of an abandoned branch is none."""
        try:
            block = self.chain.get_block_by_hash(name)
        except HeaderNotFound:
            return None
        known = self.block(block.number)
        return known if known is not None and known.hash == name else None

    def state(self, tag):
        return _get_vm_for_block_number(self.chain, self.height(tag)).state

    def apply(self, transaction):
        if not self.chain.get_block().transactions:
            seconds = int(time.time()) + self.skipped_seconds
            earliest = self.block(self.head).header.timestamp + 1
            self.chain.header = self.chain.header.copy(timestamp=max(earliest, seconds))
        self.chain.apply_transaction(transaction)

    def mine(self):
        for transaction in sorted(self.waiting, key=lambda t: (t.sender, t.nonce)):
            try:
                self.apply(transaction)
            except ValidationError:
                pass  # It no longer fits: dropped, as any pool does.
        self.waiting = []
        self.backend.mine_blocks(1)

    # --- as JSON --------------------------------------------------------------------------------

    def receipts(self, block):
        return block.get_receipts(self.chain.chaindb)

    def logs(self, block):
        place = itertools.count()
        for index, (transaction, receipt) in enumerate(zip(block.transactions, self.receipts(block))):
            for log in receipt.logs:
                yield {
                    "address": text(log.address),
                    "topics": [word(topic) for topic in log.topics],
                    "data": text(log.data),
                    "blockNumber": hex(block.number),
                    "blockHash": text(block.hash),
                    "transactionHash": text(transaction.hash),
                    "transactionIndex": hex(index),
                    "logIndex": hex(next(place)),
                    "removed": False,
                }

    def header(self, block):
        header = block.header
        return {
            "number": hex(block.number),
            "hash": text(block.hash),
            "parentHash": text(header.parent_hash),
            "timestamp": hex(header.timestamp),
            "baseFeePerGas": hex(header.base_fee_per_gas),
            "gasLimit": hex(header.gas_limit),
            "gasUsed": hex(header.gas_used),
            "stateRoot": text(header.state_root),
            "receiptsRoot": text(header.receipt_root),
            "transactionsRoot": text(header.transaction_root),
            "logsBloom": f"0x{header.bloom:0512x}",
            "transactions": [text(transaction.hash) for transaction in block.transactions],
        }

    def receipt(self, block, index):
        transaction, receipts = block.transactions[index], self.receipts(block)
        receipt = receipts[index]
        before = receipts[index - 1].gas_used if index else 0
        made = None
        if not transaction.to:
            made = text(contract_of(transaction))
        return {
            "transactionHash": text(transaction.hash),
            "transactionIndex": hex(index),
            "blockHash": text(block.hash),
            "blockNumber": hex(block.number),
            "from": text(transaction.sender),
            "to": text(transaction.to) if transaction.to else None,
            "contractAddress": made,
            "gasUsed": hex(receipt.gas_used - before),
            "cumulativeGasUsed": hex(receipt.gas_used),
            "status": "0x1" if receipt.state_root == b"\x01" else "0x0",
            "logs": [log for log in self.logs(block) if log["transactionIndex"] == hex(index)],
        }

    # --- calls ----------------------------------------------------------------------------------

    def call(self, asked, tag):
        machine = _get_vm_for_block_number(self.chain, self.height(tag))
        sender = data_of(asked.get("from", "0x" + "00" * 20))
        machine.state.set_balance(sender, machine.state.get_balance(sender) + 10**30)
        unsigned = machine.get_transaction_builder().new_unsigned_dynamic_fee_transaction(
            chain_id=self.chain_id, nonce=machine.state.get_nonce(sender), max_priority_fee_per_gas=0,
            max_fee_per_gas=machine.state.base_fee, gas=number_of(asked.get("gas", CALL_GAS)),
            to=data_of(asked["to"]) if asked.get("to") else b"", value=number_of(asked.get("value", 0)),
            data=data_of(asked.get("input", asked.get("data", "0x"))), access_list=())
        snapshot = machine.state.snapshot()
        done = machine.state.apply_transaction(SpoofTransaction(unsigned, from_=sender))
        machine.state.revert(snapshot)
        if done.is_error:
            output = bytes(done.output or b"")
            reason = decode(["string"], output[4:])[0] if output[:4] == keccak(text="Error(string)")[:4] else ""
            raise Refused(3, f"execution reverted{': ' if reason else ''}{reason}", text(output))
        return done

    def estimate(self, asked, tag):
        """The least gas that does, to half a percent."""
        self.call(asked, tag)
        low, high = 20_999, CALL_GAS
        while high - low > max(1, high // 200):
            middle = (low + high) // 2
            try:
                self.call(asked | {"gas": middle}, tag)
                high = middle
            except (Refused, ValidationError):
                low = middle
        return high

    def take(self, raw):
        try:
            transaction = self.chain.get_vm().get_transaction_builder().decode(raw)
            transaction.validate()
            sender = transaction.sender
        except Exception as error:
            raise Refused(-32000, f"invalid transaction: {error}") from error
        if (getattr(transaction, "type_id", None) or 0) == 0 and transaction.v < 35:
            raise Refused(-32000, "only replay-protected (EIP-155) transactions are taken")
        named = transaction.chain_id
        if named != self.chain_id:
            raise Refused(-32000, f"invalid chain id for signer: have {named} want {self.chain_id}")
        expected = self.state("latest").get_nonce(sender) + sum(t.sender == sender for t in self.waiting)
        if transaction.nonce < expected:
            raise Refused(-32000, f"nonce too low: next nonce {expected}, tx nonce {transaction.nonce}")
        if transaction.nonce > expected:
            raise Refused(-32000, f"nonce too high: next nonce {expected}, tx nonce {transaction.nonce}")
        if self.block_time is None:
            try:
                self.apply(transaction)
            except ValidationError as error:
                raise Refused(-32000, str(error)) from error
            self.mine()
        else:
            self.waiting.append(transaction)
        return text(transaction.hash)

    def find(self, name):
        """A mined transaction's block and place."""
        for height in range(self.head, -1, -1):
            block = self.block(height)
            for index, transaction in enumerate(block.transactions):
                if transaction.hash == name:
                    return block, index
        return None


def contract_of(transaction) -> bytes:
    return keccak(rlp.encode([transaction.sender, transaction.nonce]))[12:]


def wanted(log, criteria) -> bool:
    addresses = criteria.get("address")
    addresses = [addresses] if isinstance(addresses, str) else addresses
    if addresses and log["address"] not in [address.lower() for address in addresses]:
        return False
    for place, topic in enumerate(criteria.get("topics") or []):
        choices = topic if isinstance(topic, list) else [topic]
        if topic is None or not choices:
            continue
        if place >= len(log["topics"]) or log["topics"][place] not in [choice.lower() for choice in choices]:
            return False
    return True


# --- methods --------------------------------------------------------------------------------------


@rpc("eth_chainId")
def _(chain, *_):
    return hex(chain.chain_id)


@rpc("net_version")
def _(chain, *_):
    return str(chain.chain_id)


@rpc("web3_clientVersion")
def _(chain, *_):
    return "shoal-devchain/py-evm"


@rpc("eth_syncing")
def _(chain, *_):
    return False


@rpc("eth_blockNumber")
def _(chain, *_):
    return hex(chain.head)


@rpc("eth_gasPrice")
def _(chain, *_):
    return hex(chain.chain.get_block().header.base_fee_per_gas + TIP)


@rpc("eth_maxPriorityFeePerGas")
def _(chain, *_):
    return hex(TIP)


@rpc("eth_getBalance")
def _(chain, address, tag="latest"):
    return hex(chain.state(tag).get_balance(data_of(address)))


@rpc("eth_getCode")
def _(chain, address, tag="latest"):
    return text(chain.state(tag).get_code(data_of(address)))


@rpc("eth_getTransactionCount")
def _(chain, address, tag="latest"):
    waiting = sum(t.sender == data_of(address) for t in chain.waiting) if tag == "pending" else 0
    return hex(chain.state(tag).get_nonce(data_of(address)) + waiting)


@rpc("eth_getBlockByNumber")
def _(chain, tag, full=False):
    block = chain.block(chain.height(tag))
    return chain.header(block) if block is not None else None


@rpc("eth_getBlockByHash")
def _(chain, name, full=False):
    block = chain.block_of_hash(data_of(name))
    return chain.header(block) if block is not None else None


@rpc("eth_getTransactionReceipt")
def _(chain, name):
    found = chain.find(data_of(name))
    return chain.receipt(*found) if found else None


@rpc("eth_getLogs")
def _(chain, criteria):
    if "blockHash" in criteria:
        block = chain.block_of_hash(data_of(criteria["blockHash"]))
        if block is None:
            raise Refused(-32000, "unknown block")
        blocks = [block]
    else:
        first, last = chain.height(criteria.get("fromBlock")), chain.height(criteria.get("toBlock"))
        if chain.max_range and last - first >= chain.max_range:
            raise Refused(-32005, f"query exceeds max block range {chain.max_range}")
        blocks = [chain.block(height) for height in range(first, min(last, chain.head) + 1)]
    return [log for block in blocks for log in chain.logs(block) if wanted(log, criteria)]


@rpc("eth_call")
def _(chain, asked, tag="latest"):
    return text(chain.call(asked, tag).output)


@rpc("eth_estimateGas")
def _(chain, asked, tag="latest"):
    return hex(chain.estimate(asked, tag))


@rpc("eth_sendRawTransaction")
def _(chain, raw):
    return chain.take(data_of(raw))


@rpc("dev_mine")
def _(chain, count=1):
    for _ in range(number_of(count)):
        chain.mine()
    return hex(chain.head)


@rpc("dev_passTime")
def _(chain, seconds):
    """From the chain's own clock, which runs ahead when blocks come faster than one a second."""
    ahead = chain.block(chain.head).header.timestamp - int(time.time())
    chain.skipped_seconds = max(ahead, chain.skipped_seconds) + number_of(seconds)
    return True


@rpc("dev_snapshot")
def _(chain):
    name = hex(next(chain.names))
    chain.snapshots[name] = chain.block(chain.head).hash
    return name


@rpc("dev_revert")
def _(chain, name):
    if name not in chain.snapshots:
        raise Refused(-32000, "unknown snapshot")
    chain.backend.revert_to_snapshot(chain.snapshots[name])
    return True


@rpc("dev_fault")
def _(chain, fault=None):
    chain.fault = fault
    return True


# --- HTTP -----------------------------------------------------------------------------------------


def answer(chain, request):
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "invalid request"}}
    reply = {"jsonrpc": "2.0", "id": request.get("id")}
    method = METHODS.get(request["method"])
    try:
        if method is None:
            raise Refused(-32601, f"the method {request['method']} does not exist/is not available")
        reply["result"] = method(chain, *(request.get("params") or []))
    except Refused as error:
        reply["error"] = {"code": error.code, "message": str(error)}
        if error.data is not None:
            reply["error"]["data"] = error.data
    except (ValidationError, HeaderNotFound) as error:
        reply["error"] = {"code": -32000, "message": str(error)}
    except (TypeError, ValueError, KeyError, IndexError) as error:
        reply["error"] = {"code": -32602, "message": f"invalid params: {error}"}
    return reply


def is_of_tests(request):
    return isinstance(request, dict) and str(request.get("method", "")).startswith("dev_")


def application(chain):
    async def serve(http):
        try:
            asked = json.loads(await http.text())
        except ValueError:
            error = {"code": -32700, "message": "parse error"}
            return web.json_response({"jsonrpc": "2.0", "id": None, "error": error})
        fault = None if is_of_tests(asked) else chain.fault
        if fault and "count" in fault:
            fault["count"] -= 1
            if fault["count"] <= 0:
                chain.fault = None
        if fault and "http" in fault:
            return web.Response(status=fault["http"], text="unavailable")
        if fault and "drop" in fault:
            http.transport.close()
            return web.Response()
        if isinstance(asked, list):
            reply = [answer(chain, one) for one in asked[:BATCH_LIMIT]]
        else:
            reply = answer(chain, asked)
        if fault and "after" in fault:
            http.transport.close()
        return web.json_response(reply)

    async def mine_on_time(_):
        async def blocks():
            while True:
                await asyncio.sleep(chain.block_time)
                chain.mine()

        task = asyncio.create_task(blocks()) if chain.block_time else None
        yield
        if task:
            task.cancel()

    app = web.Application()
    app.router.add_post("/", serve)
    app.cleanup_ctx.append(mine_on_time)
    return app


def main():
    parser = argparse.ArgumentParser(description="A development chain on loopback.")
    parser.add_argument("--port", type=int, default=8545)
    parser.add_argument("--chain-id", type=int, default=1337)
    parser.add_argument("--block-time", type=float, help="seconds; without it each transaction makes a block")
    parser.add_argument("--max-log-range", type=int, help="refuse eth_getLogs over more blocks")
    parser.add_argument("--finalized", type=int, default=2, help="blocks behind the head that count as final")
    options = parser.parse_args()
    chain = Chain(options.chain_id, options.block_time, options.max_log_range, options.finalized)
    print(f"chain {options.chain_id} at http://127.0.0.1:{options.port}", flush=True)
    web.run_app(application(chain), host="127.0.0.1", port=options.port, print=None)


if __name__ == "__main__":
    main()
