#!/usr/bin/env python3
"""A switch in one process, that delays, loses, reorders and cuts: the network of testnet/links.sh.

    relay.py PORTS

Makes the TAP devices tap0 to tapN of this network namespace (they may be moved to others), says
"ready", and carries frames between them. On its standard input:

    weather DELAY JITTER LOSS REORDER   milliseconds, milliseconds, per mille, per mille
    cut FROM TO                         nothing passes from one port to another, one way
    heal                                all of that ends

A frame that is reordered overtakes those that wait. Needs Linux and the right to make TAP devices.
"""

import fcntl
import heapq
import os
import random
import selectors
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
# Frames that wait: beyond that a switch drops as well.
QUEUE = 20_000


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


class Switch:
    def __init__(self, count):
        self.random = random.Random(1)
        self.ports = [open_tap(f"tap{number}") for number in range(count)]
        self.places = {}
        self.waiting = []
        self.sequence = 0
        self.heal()

    def heal(self):
        self.delay = self.jitter = 0.0
        self.loss = self.reorder = 0
        self.cuts = set()

    def obey(self, line):
        match line.split():
            case ["weather", delay, jitter, loss, reorder]:
                self.delay, self.jitter = float(delay) / 1000, float(jitter) / 1000
                self.loss, self.reorder = int(loss), int(reorder)
            case ["cut", source, target]:
                self.cuts.add((int(source), int(target)))
            case ["heal"]:
                self.heal()
            case words:
                sys.exit(f"relay: not a command: {' '.join(words)}")

    def take(self, port):
        """Everything that has come in at one port."""
        while True:
            try:
                frame = os.read(self.ports[port], 65_536)
            except BlockingIOError:
                return
            except OSError:
                return  # The device is down.
            self.places[frame[6:12]] = port
            target = self.places.get(frame[0:6])
            targets = [target] if target is not None else range(len(self.ports))
            for other in targets:
                if other != port and (port, other) not in self.cuts:
                    self.send(other, frame)

    def send(self, port, frame):
        if self.random.randrange(1000) < self.loss or len(self.waiting) >= QUEUE:
            return
        delay = self.delay + self.random.uniform(0, self.jitter)
        if self.random.randrange(1000) < self.reorder:
            delay = 0
        if delay == 0:
            return self.put(port, frame)
        self.sequence += 1
        heapq.heappush(self.waiting, (time.monotonic() + delay, self.sequence, port, frame))

    def put(self, port, frame):
        try:
            os.write(self.ports[port], frame)
        except OSError:
            pass  # Full or down: lost, as on any switch.

    def deliver(self):
        """Sends what is due; answers with the seconds until more is."""
        while self.waiting:
            due = self.waiting[0][0] - time.monotonic()
            if due > 0:
                return due
            _, _, port, frame = heapq.heappop(self.waiting)
            self.put(port, frame)
        return None


def main():
    switch = Switch(int(sys.argv[1]))
    selector = selectors.DefaultSelector()
    for number, port in enumerate(switch.ports):
        selector.register(port, selectors.EVENT_READ, number)
    os.set_blocking(0, False)
    selector.register(0, selectors.EVENT_READ, "orders")
    print("ready", flush=True)
    orders = b""
    while True:
        for key, _ in selector.select(switch.deliver()):
            if key.data != "orders":
                switch.take(key.data)
                continue
            part = os.read(0, 4096)
            if not part:
                return
            *lines, orders = (orders + part).split(b"\n")
            for line in lines:
                switch.obey(line.decode())


main()
