"""A home's router that can be asked: answers PCP (RFC 6887) or NAT-PMP (RFC 6886) on its LAN side, and
lets what comes to a mapped port outside in, by rules of nftables.

    router.py LAN_ADDRESS WAN_ADDRESS pcp|natpmp TABLE CHAIN
"""
import socket
import struct
import subprocess
import sys

lan, wan, method, table, chain = sys.argv[1:]
LONGEST = 3600
mapped = {}


def let_in(kind, client, inside, outside):
    """Whoever has the port keeps it; another is given the next that is free."""
    while mapped.get((kind, outside), (client, inside)) != (client, inside):
        outside = outside % 65535 + 1
    if (kind, outside) not in mapped:
        mapped[kind, outside] = (client, inside)
        rule = f'iifname "wan" {kind} dport {outside} dnat to {client}:{inside}'
        subprocess.run(["nft", f"add rule ip {table} {chain} {rule}"], check=True)
        print(f"{kind} {wan}:{outside} leads to {client}:{inside}", flush=True)
    return outside


def pcp(question, client):
    if len(question) < 60 or question[0] != 2 or question[1] != 1:
        return None
    seconds, = struct.unpack(">I", question[4:8])
    kind = {6: "tcp", 17: "udp"}.get(question[36])
    inside, outside = struct.unpack(">HH", question[40:44])
    if kind and seconds:
        outside = let_in(kind, client, inside, outside or inside)
    head = struct.pack(">BBBBII12x", 2, 0x81, 0, 0 if kind else 9, min(seconds, LONGEST), 1)
    address = bytes(10) + b"\xff\xff" + socket.inet_aton(wan)
    return head + question[24:42] + struct.pack(">H", outside) + address


def natpmp(question, client):
    if question[:1] != b"\0":
        return struct.pack(">BBHI", 0, 0x80, 1, 1)
    if question == b"\0\0":
        return struct.pack(">BBHI", 0, 0x80, 0, 1) + socket.inet_aton(wan)
    if len(question) != 12 or question[1] not in (1, 2):
        return None
    inside, outside, seconds = struct.unpack(">HHI", question[4:])
    if seconds:
        outside = let_in("udp" if question[1] == 1 else "tcp", client, inside, outside or inside)
    return struct.pack(
        ">BBHIHHI", 0, 0x80 | question[1], 0, 1, inside, outside, min(seconds, LONGEST))


def main():
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.bind((lan, 5351))
    while True:
        question, (client, source) = port.recvfrom(2048)
        answer = {"pcp": pcp, "natpmp": natpmp}[method](question, client)
        if answer:
            port.sendto(answer, (client, source))


main()
