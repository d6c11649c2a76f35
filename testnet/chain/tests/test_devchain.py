"""The development chain as a client sees it: transactions, logs, reorganisations, faults."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from aiohttp import ClientError
from aiohttp.test_utils import TestClient, TestServer
from eth_abi import encode
from eth_utils import keccak, to_checksum_address

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from devchain import Chain, application  # noqa: E402
from machines import account, topic  # noqa: E402

ME = account(1)


class Client:
    def __init__(self, http):
        self.http = http

    async def whole(self, method, *params):
        reply = await self.http.post("/", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        return reply.status, await reply.text()

    async def call(self, method, *params):
        status, body = await self.whole(method, *params)
        assert status == 200, body
        reply = json.loads(body)
        if "error" in reply:
            raise ValueError(reply["error"]["message"])
        return reply["result"]

    async def signed(self, to, data, **changes):
        fields = {
            "type": 2, "chainId": 1337, "gas": 3_000_000, "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9,
            "nonce": int(await self.call("eth_getTransactionCount", ME.address, "pending"), 16), "to": to_checksum_address(to) if to else b"",
            "data": data, "value": 0}
        return "0x" + bytes(ME.sign_transaction(fields | changes).raw_transaction).hex()

    async def send(self, to, data):
        name = await self.call("eth_sendRawTransaction", await self.signed(to, data))
        return await self.call("eth_getTransactionReceipt", name)


def run(story, **options):
    async def act():
        async with TestClient(TestServer(application(Chain(1337, **options)))) as http:
            await story(Client(http))

    asyncio.run(act())


async def registry(client, builds):
    receipt = await client.send(None, builds["ModelRegistry"]["bytecode"])
    assert receipt["status"] == "0x1"
    return receipt["contractAddress"]


def registration(name):
    return keccak(text="register(string,bytes32,string)")[:4] + encode(
        ["string", "bytes32", "string"], [name, b"\x01" * 32, ""])


def test_a_contract_is_deployed_called_and_heard(builds):
    async def story(client):
        address = await registry(client, builds)
        receipt = await client.send(address, registration("story"))
        [log] = receipt["logs"]
        event = next(e for e in builds["ModelRegistry"]["abi"] if e.get("name") == "ModelRegistered")
        assert log["topics"][0] == "0x" + topic(event).hex()
        by_hash = await client.call("eth_getLogs", {"blockHash": receipt["blockHash"], "address": address})
        by_range = await client.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": address})
        assert by_hash == by_range == [log]
        gas = await client.call("eth_estimateGas", {
            "from": ME.address, "to": address, "data": "0x" + registration("other").hex()})
        assert 60_000 < int(gas, 16) < 150_000
        with pytest.raises(ValueError, match="execution reverted: name taken"):
            await client.call("eth_call", {
                "from": ME.address, "to": address, "data": "0x" + registration("story").hex()})

    run(story)


def test_a_reorganisation_takes_blocks_and_logs_away(builds):
    async def story(client):
        address = await registry(client, builds)
        snapshot = await client.call("dev_snapshot")
        gone = await client.send(address, registration("story"))
        await client.call("dev_revert", snapshot)
        assert await client.call("eth_getTransactionReceipt", gone["transactionHash"]) is None
        assert await client.call("eth_getBlockByHash", gone["blockHash"]) is None
        with pytest.raises(ValueError, match="unknown block"):
            await client.call("eth_getLogs", {"blockHash": gone["blockHash"]})
        again = await client.send(address, registration("other"))
        assert again["blockNumber"] == gone["blockNumber"] and again["blockHash"] != gone["blockHash"]

    run(story)


def test_what_no_chain_takes_is_refused(builds):
    async def story(client):
        for changes, reason in [
            ({"chainId": 1}, "invalid chain id"), ({"nonce": 7}, "nonce too high"),
        ]:
            with pytest.raises(ValueError, match=reason):
                await client.call("eth_sendRawTransaction", await client.signed(ME.address, b"", **changes))
        raw = await client.signed(ME.address, b"")
        await client.call("eth_sendRawTransaction", raw)
        with pytest.raises(ValueError, match="nonce too low"):
            await client.call("eth_sendRawTransaction", raw)
        with pytest.raises(ValueError, match="invalid transaction"):
            await client.call("eth_sendRawTransaction", "0x02c0")
        with pytest.raises(ValueError, match="does not exist"):
            await client.call("eth_mystery")

    run(story)


def test_faults_come_as_asked_and_end(builds):
    async def story(client):
        await client.call("dev_fault", {"http": 503, "count": 2})
        assert [(await client.whole("eth_chainId"))[0] for _ in range(3)] == [503, 503, 200]
        # Executed, but nobody hears of it: a client must look by hash.
        raw = await client.signed(ME.address, b"")
        await client.call("dev_fault", {"after": True, "count": 1})
        with pytest.raises(ClientError):
            await client.call("eth_sendRawTransaction", raw)
        name = "0x" + keccak(hexstr=raw).hex()
        assert (await client.call("eth_getTransactionReceipt", name))["status"] == "0x1"

    run(story)


def test_ranges_are_limited_where_asked(builds):
    async def story(client):
        await client.call("dev_mine", 5)
        with pytest.raises(ValueError, match="max block range 3"):
            await client.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x3"})
        assert await client.call("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x2"}) == []

    run(story, max_range=3)
