"""Writes a copy of a GGUF file that has a chat template. Arguments: the file, the copy, the template.

The entry goes in front of the others (GGUF v3: magic, version, number of tensors, number of entries).
It is as long as a multiple of the alignment of tensor data, so that all offsets stay what they are."""

import pathlib
import struct
import sys

source, copy, template = sys.argv[1:4]
alignment = 32
data = pathlib.Path(source).read_bytes()
magic, version, tensors, entries = struct.unpack_from("<4sIQQ", data)
assert magic == b"GGUF" and version == 3, (magic, version)


def entry(text):
    name = b"tokenizer.chat_template"
    string = 8
    return struct.pack("<Q", len(name)) + name + struct.pack("<IQ", string, len(text)) + text


text = template.encode()
comment = b"{##}"
padding = -len(entry(text + comment)) % alignment
added = entry(text + b"{#" + b" " * padding + b"#}")
assert len(added) % alignment == 0
pathlib.Path(copy).write_bytes(
    struct.pack("<4sIQQ", magic, version, tensors, entries + 1) + added + data[24:])
