#!/usr/bin/env python3
"""What strangers do to the ports of one peer: the faults of testnet/strangers.sh, and their cost.

    strangers.py SHOAL DIRECTORY PID [FAULT...]

DIRECTORY holds the data of the peers one, two and three: `one` runs as PID and is attacked, `two`
runs and is asked for streams that both compute, `three` joins during each fault. Names of faults, or
their beginnings, choose some of them. A stream is undisturbed if it ends with the digest of the
stream before all faults, on one plan; when some have, the third peer joins while the fault goes on.
Prints a line for each fault and port:

    answer     bytes that came back
    closed     connections that the peer closed, of those that were opened; or datagrams sent
    MiB        the peer's resident memory at most, and how much that is above before
    CPU        seconds that the peer spent
    streams    how many ended during the fault as they should, and their longest pause
    newcomer   until a third peer had joined through the fault and been answered by all three
    client     until a client of the attacked API was told that the peer is well, during the fault
"""

import json
import os
import random
import re
import resource
import socket
import struct
import subprocess
import sys
import threading
import time

shoal, run, pid = sys.argv[1], sys.argv[2], int(sys.argv[3])
chosen = sys.argv[4:]
chance = random.Random(1)
# How much memory a fault may cost, in MiB: the queues and tables of `Limits`, full.
MEMORY = 96
TOKENS = 200


# --- what is watched ---------------------------------------------------------------------------


def listening(kind):
    text = subprocess.run(["ss", "-lnp" + kind], capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines() if f"pid={pid}," in line]
    return sorted({int(line.split()[3].rsplit(":", 1)[1]) for line in lines})


def status(field):
    with open(f"/proc/{pid}/status") as text:
        return int(re.search(field + r":\s*(\d+)", text.read()).group(1))


def cpu():
    with open(f"/proc/{pid}/stat") as text:
        fields = text.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Memory(threading.Thread):
    """The highest resident memory while it runs."""

    def __init__(self):
        super().__init__(daemon=True)
        self.before = self.highest = status("VmRSS") / 1024
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            self.highest = max(self.highest, status("VmRSS") / 1024)


def ask(name, tokens, facts):
    """One stream; its facts, or the sentence that it ended with."""
    done = subprocess.run(
        [shoal, "run", "story", "Once upon a time", "-n", str(tokens), "--temperature", "0",
         "--objective", "spread", "--data", f"{run}/{name}", "--facts", facts],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no word"
    with open(facts) as text:
        return json.load(text)


def find(facts, name):
    """A field wherever it is nested."""
    if isinstance(facts, dict):
        if name in facts:
            return facts[name]
        facts = list(facts.values())
    for item in facts if isinstance(facts, list) else []:
        found = find(item, name)
        if found is not None:
            return found
    return None


class Streams(threading.Thread):
    """Streams at `two`, one after the other, until told to end; the last is waited for."""

    def __init__(self, digest):
        super().__init__(daemon=True)
        self.digest = digest
        self.good, self.pause, self.troubles = 0, 0.0, []
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            facts = ask("two", TOKENS, f"{run}/streams.json")
            if isinstance(facts, str):
                self.troubles.append(facts)
            elif find(facts, "digest") != self.digest:
                self.troubles.append("other tokens")
            elif find(facts, "terms") != 1:
                self.troubles.append(f"{find(facts, 'terms')} terms")
            else:
                self.good += 1
                self.pause = max(self.pause, find(facts, "stallSecondsMax"))


class Newcomer(threading.Thread):
    """A third peer that joins, is answered by a job on all three, and goes."""

    def __init__(self):
        super().__init__(daemon=True)
        self.took, self.trouble = None, None

    def run(self):
        began = time.monotonic()
        api = f"{run}/three/api"
        if os.path.exists(api):
            os.remove(api)
        with open(f"{run}/three.log", "a") as log:
            peer = subprocess.Popen(
                [shoal, "peer", "--data", f"{run}/three", "--listen", "127.0.0.1:0", "--api",
                 "127.0.0.1:0", "--threads", "1"], stdout=log, stderr=log)
        try:
            while time.monotonic() - began < 60:
                if os.path.exists(api) and self.alive() == 3:
                    facts = ask("three", 8, f"{run}/newcomer.json")
                    if not isinstance(facts, str) and len(find(facts, "peers") or []) == 3:
                        self.took = time.monotonic() - began
                        return
                    self.trouble = facts if isinstance(facts, str) else "not with all three"
                time.sleep(0.1)
        finally:
            peer.terminate()
            peer.wait()

    @staticmethod
    def alive():
        seen = subprocess.run([shoal, "peers", "--data", f"{run}/three", "--json"],
                              capture_output=True, text=True)
        return seen.stdout.count('"state":"alive"')


class Client(threading.Thread):
    """Somebody who asks the attacked peer's API how it is, as a program does: with a second try."""

    def __init__(self):
        super().__init__(daemon=True)
        self.took, self.trouble = None, None

    def run(self):
        began = time.monotonic()
        for _ in range(2):
            try:
                with socket.create_connection(("127.0.0.1", apis[0]), 5) as api:
                    api.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    if b"200 OK" in api.recv(1000):
                        self.took = time.monotonic() - began
                        return
                    self.trouble = "closed without an answer"
            except OSError as error:
                self.trouble = f"no answer: {error}"


# --- what strangers do -------------------------------------------------------------------------


class Attack:
    """One fault: what was opened and heard."""

    def __init__(self, seconds):
        self.until = time.monotonic() + seconds
        self.sent = self.answered = self.opened = self.closed = 0
        self.held = []

    @property
    def lasts(self):
        return time.monotonic() < self.until

    def connect(self, port):
        try:
            stream = socket.create_connection(("127.0.0.1", port), 2)
        except OSError:
            return None
        self.opened += 1
        return stream

    def begin(self, port):
        """A connection without waiting for it to stand."""
        stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        stream.setblocking(False)
        try:
            stream.connect(("127.0.0.1", port))
        except BlockingIOError:
            pass
        except OSError:
            return None
        self.opened += 1
        return stream

    def say(self, stream, data):
        try:
            stream.sendall(data)
        except OSError:
            return False
        self.sent += len(data)
        return True

    def keep(self, stream):
        if stream is not None:
            stream.setblocking(False)
            self.held.append(stream)

    def listen(self):
        """Reads whatever has come to the connections that are held."""
        alive = []
        for stream in self.held:
            try:
                data = stream.recv(65536)
            except (BlockingIOError, InterruptedError):
                alive.append(stream)
                continue
            except OSError:
                data = b""
            self.answered += len(data)
            if data:
                alive.append(stream)
            else:
                self.closed += 1
                stream.close()
        self.held = alive

    def wait(self):
        while self.lasts:
            self.listen()
            time.sleep(0.05)

    def end(self):
        self.listen()
        for stream in self.held:
            stream.close()


def hold(count, data=b""):
    """`count` connections that each say `data` and stay, begun again where the peer closes them."""

    def fault(attack, port):
        while attack.lasts:
            while len(attack.held) < count and attack.lasts:
                stream = attack.connect(port) if data else attack.begin(port)
                if stream is None:
                    break
                if data:
                    attack.say(stream, data)
                attack.keep(stream)
            attack.listen()
            time.sleep(0.2)

    return fault


def come_and_go(attack, port):
    while attack.lasts:
        stream = attack.connect(port)
        if stream is not None:
            stream.close()
            attack.closed += 1


def half(attack, port):
    """Half of what the port expects, then the end; and some that stay."""
    data = opening(port)
    while attack.lasts:
        stream = attack.connect(port)
        if stream is None:
            continue
        attack.say(stream, data[: len(data) // 2])
        if len(attack.held) < 100:
            attack.keep(stream)
        else:
            stream.close()
            attack.closed += 1
        attack.listen()


def slow(attack, port):
    """One byte of what the port expects every fifth of a second, on 100 connections."""
    data = opening(port)
    places = {}
    while attack.lasts:
        while len(attack.held) < 100:
            stream = attack.connect(port)
            if stream is None:
                break
            attack.keep(stream)
        for stream in attack.held:
            place = places.get(stream, 0)
            attack.say(stream, data[place % len(data):][:1])
            places[stream] = place + 1
        attack.listen()
        time.sleep(0.2)


def opening(port):
    return request if port in apis else bytes([1, 1, 3, 2]) + chance.randbytes(252)


request = b"POST /api/run HTTP/1.1\r\nHost: localhost\r\nContent-Length: 512\r\n\r\n" + b" " * 512


def announcement(port, size):
    """The length where the port's protocol has one, and where it has none."""
    if port not in apis:
        return struct.pack("<Q", size) + struct.pack(">Q", size) + struct.pack("<I", 2**32 - 1)
    return (b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n{" % size)


def announce(size):
    def fault(attack, port):
        hold(50, announcement(port, size))(attack, port)

    return fault


def garbage(attack, port):
    while attack.lasts:
        stream = attack.connect(port)
        if stream is not None:
            attack.say(stream, chance.randbytes(chance.choice([1, 255, 256, 4096, 100_000])))
            attack.keep(stream)
        attack.listen()


def headers_without_end(attack, port):
    """Only for HTTP: header fields that go on and on."""
    line = b"X-More: " + b"y" * 1000 + b"\r\n"
    while attack.lasts:
        stream = attack.connect(port)
        if stream is not None:
            attack.say(stream, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + line * 200)
            attack.keep(stream)
        attack.listen()


def replay_streams(attack, port):
    """What others said when they connected, again, in order and out of order."""
    while attack.lasts:
        for said in recorded.streams or [opening(port)]:
            stream = attack.connect(port)
            if stream is None:
                continue
            if chance.random() < 0.5:
                said = b"".join(sorted((said[i:i + 256] for i in range(0, len(said), 256)),
                                       key=lambda _: chance.random()))
            attack.say(stream, said)
            attack.keep(stream)
        attack.listen()
        time.sleep(0.05)


def datagrams(make, count=None):
    """From 16 sockets; without a count for as long as the fault lasts, with short rests."""

    def fault(attack, port):
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(16)]
        for each in sockets:
            each.setblocking(False)
        number = 0
        while attack.lasts or (count is not None and number < count):
            for data in make(number):
                try:
                    attack.sent += sockets[number % 16].sendto(data, ("127.0.0.1", port))
                except BlockingIOError:
                    pass
                number += 1
            if count is None:
                time.sleep(0.01)
        attack.opened = number
        time.sleep(0.2)
        for each in sockets:
            try:
                while True:
                    attack.answered += len(each.recv(2048))
            except OSError:
                each.close()

    return fault


noise = [chance.randbytes(size) for size in range(1, 1400, 7)]
# What a handshake, a sealed datagram and a beacon look like from outside.
lookalikes = [bytes([kind]) + chance.randbytes(size - 1)
              for kind, size in [(1, 256), (3, 256), (6, 64), (7, 100), (8, 256)] for _ in range(20)]


class Recorded:
    """Datagrams and connections between the peers, as a listener on the wire has them."""

    def __init__(self):
        self.datagrams, self.streams = [], []

    def record(self, seconds):
        try:
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            wire.bind(("lo", 0))
        except OSError:
            print("no right to record: made-up bytes are replayed instead")
            return
        wire.settimeout(0.1)
        ours, said = set(listening("u") + listening("t")) - set(apis), {}
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                frame, address = wire.recvfrom(65536)
            except TimeoutError:
                continue
            if address[2] == socket.PACKET_OUTGOING or frame[12:14] != b"\x08\x00":
                continue
            start = 14 + (frame[14] & 15) * 4
            source, target = struct.unpack_from(">HH", frame, start)
            if target not in ours:
                continue
            if frame[23] == socket.IPPROTO_UDP and len(self.datagrams) < 5000:
                self.datagrams.append(frame[start + 8:])
            elif frame[23] == socket.IPPROTO_TCP:
                end = 14 + struct.unpack_from(">H", frame, 16)[0]
                if frame[start + 13] & 2:
                    said[source] = b""
                elif source in said and len(said[source]) < 65536:
                    said[source] += frame[start + (frame[start + 12] >> 4) * 4:end]
        self.streams = [bytes for bytes in said.values() if bytes][:50]


def replayed(number):
    if number == 0:
        chance.shuffle(recorded.datagrams)
    some = recorded.datagrams or lookalikes
    return [some[number % len(some)]]


MESH, API, DATAGRAMS = "mesh TCP", "API TCP", "UDP"
# name, ports, seconds, fault
FAULTS = [
    ("connect and close", [MESH, API], 3, come_and_go),
    ("connect, say nothing (600)", [MESH, API], 4, hold(600)),
    ("garbage", [MESH, API], 3, garbage),
    ("HTTP", [MESH], 3, hold(100, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + b" " * 300)),
    ("a handshake", [API], 3, hold(100, bytes([3, 1, 3, 2]) + noise[-1][:252])),
    ("6 GiB announced", [MESH, API], 3, announce(6 << 30)),
    ("2^63 announced", [MESH, API], 3, announce(1 << 63)),
    ("headers without end", [API], 3, headers_without_end),
    ("half frames", [MESH, API], 3, half),
    ("slow frames", [MESH, API], 4, slow),
    ("replayed, reordered", [MESH], 3, replay_streams),
    ("10,000 connections", [MESH, API], 6, hold(10_000)),
    ("noise of all lengths", [DATAGRAMS], 3, datagrams(lambda n: noise)),
    ("lookalikes", [DATAGRAMS], 3, datagrams(lambda n: lookalikes)),
    ("replayed, reordered", [DATAGRAMS], 3, datagrams(replayed)),
    ("a million datagrams", [DATAGRAMS], 0,
     datagrams(lambda n: [lookalikes[n % len(lookalikes)]], 1_000_000)),
]


def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    settled = ask("two", TOKENS, f"{run}/reference.json")
    facts = ask("two", TOKENS, f"{run}/reference.json")
    if isinstance(facts, str):
        sys.exit(f"no stream at all: {settled}; {facts}")
    digest = find(facts, "digest")
    recorder = threading.Thread(target=recorded.record, args=(8,), daemon=True)
    recorder.start()
    newcomer = Newcomer()
    newcomer.run()
    recorder.join()
    print(f"undisturbed: {find(facts, 'tokensPerSecond'):.0f} tokens/s, longest pause "
          f"{find(facts, 'stallSecondsMax') * 1000:.0f} ms, a newcomer is in and answered after "
          f"{newcomer.took or 0:.1f} s; recorded {len(recorded.datagrams)} datagrams, "
          f"{len(recorded.streams)} connections")
    print(f"{'fault':27} {'port':14} {'sent':>9} {'answer':>7} {'closed':>13} {'MiB':>10} "
          f"{'CPU':>5} {'streams, pause':>15} {'newcomer':>8} {'client':>8}")
    broken = 0
    os.nice(10)
    for name, kinds, seconds, fault in FAULTS:
        if chosen and not any(name.startswith(each) for each in chosen):
            continue
        for kind in kinds:
            for port in PORTS[kind]:
                broken += trial(name, kind, port, seconds, fault, digest)
    return 1 if broken else 0


def trial(name, kind, port, seconds, fault, digest):
    memory, streams, newcomer, attack = Memory(), Streams(digest), Newcomer(), Attack(seconds)
    client = Client()
    began = cpu()
    for thread in (memory, streams):
        thread.start()
    fault(attack, port)
    streams.over.set()
    again = fault if kind != DATAGRAMS or seconds else datagrams(lambda n: lookalikes)
    for guest in (streams, client, newcomer):
        # The fault goes on until the last stream has ended, and until whoever comes then is in.
        if guest is not streams:
            guest.start()
        while guest.is_alive():
            attack.until = time.monotonic() + 0.5
            again(attack, port)
    attack.end()
    memory.over.set()
    memory.join()
    troubles = [f"stream: {trouble}" for trouble in streams.troubles]
    if newcomer.took is None:
        troubles.append(f"newcomer: {newcomer.trouble or 'never in the mesh'}")
    if memory.highest - memory.before > MEMORY:
        troubles.append(f"more than {MEMORY} MiB")
    if kind == DATAGRAMS and attack.answered > attack.sent:
        troubles.append("an answer larger than its cause")
    if kind == MESH and attack.answered > attack.sent:
        troubles.append("an answer larger than its cause")
    if client.took is None:
        troubles.append(f"client: {client.trouble}")
    if not streams.good:
        troubles.append("no stream has ended as it should")
    label = f"{kind} {port}" if kind == DATAGRAMS else kind
    print(f"{name:27} {label:14} {size(attack.sent):>9} {size(attack.answered):>7} "
          f"{attack.closed:>6}/{attack.opened:<6} {memory.highest:>4.0f} "
          f"{memory.highest - memory.before:>+5.0f} {cpu() - began:>5.1f} "
          f"{streams.good:>5}, {streams.pause * 1000:>4.0f} ms "
          f"{newcomer.took or 0:>6.1f} s {(client.took or 0) * 1000:>5.0f} ms"
          + "".join(f"\n  BROKEN {each}" for each in troubles[:4]),
          flush=True)
    return bool(troubles)


def size(count):
    return f"{count}" if count < 10_000 else f"{count / 1024:.0f} K" if count < 10 << 20 else (
        f"{count / 1048576:.0f} M")


with open(f"{run}/one/api") as text:
    apis = [int(text.read().rsplit(":", 1)[1])]
recorded = Recorded()
PORTS = {MESH: [port for port in listening("t") if port not in apis], API: apis,
         DATAGRAMS: listening("u")}
sys.exit(main())
