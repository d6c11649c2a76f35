#!/usr/bin/env python3
"""Writes a GGUF file of any Llama shape with random weights: for loads, memory and speed.

    generate-llama.py OUT.gguf [--preset NAME] [--type q4_0|q8_0|q4_K|q5_K|q6_K|f16|f32]
                      [--seed N] [--holes]
                      [--hidden N --layers N --heads N --kv-heads N --ffn N --vocab N --context N]

The same arguments give the same bytes. Weights are drawn as stored blocks, a piece at a time, so
that memory stays at a few tens of MB whatever the size of the file. Scales follow 1/sqrt(fan in),
which keeps activations sane. With --holes matrices are holes in a sparse file: all weights are
zero, and 40 GB take a few MB of disk. The tokenizer is SentencePiece BPE with single characters and bytes:
any text encodes; what the model answers is syllables. Needs numpy only.
"""
from __future__ import annotations

import argparse
import struct
from dataclasses import dataclass, fields
from pathlib import Path
from typing import BinaryIO, Iterator

import numpy as np

ALIGNMENT = 32
BLOCK = 32  # weights of a quantised block
SUPER_BLOCK = 256  # and of one of the K formats
PIECE = 1 << 22  # weights drawn at a time
SMALLEST_NORMAL_F16 = 6.2e-5  # scales stay above: subnormal products are slow


@dataclass(frozen=True)
class Shape:
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    ffn: int
    vocab: int
    context: int
    rope_theta: float = 10_000.0
    rms_epsilon: float = 1e-5


PRESETS = {
    "tiny": Shape(256, 2, 8, 4, 512, 512, 512),
    "tinyllama-1.1b": Shape(2048, 22, 32, 4, 5632, 32_000, 2048),
    "llama-7b": Shape(4096, 32, 32, 32, 11_008, 32_000, 4096),
    "llama-70b": Shape(8192, 80, 64, 8, 28_672, 32_000, 4096),
}


@dataclass(frozen=True)
class Encoding:
    """How a tensor is stored: ggml's numbers for it, and the bytes of one block of weights."""

    tensor_type: int
    file_type: int
    block: int
    block_bytes: int


ENCODINGS = {
    "f32": Encoding(0, 0, 1, 4),
    "f16": Encoding(1, 1, 1, 2),
    "q4_0": Encoding(2, 2, BLOCK, 18),
    "q8_0": Encoding(8, 7, BLOCK, 34),
    "q4_K": Encoding(12, 14, SUPER_BLOCK, 144),
    "q5_K": Encoding(13, 16, SUPER_BLOCK, 176),
    "q6_K": Encoding(14, 18, SUPER_BLOCK, 210),
}


# --- weights ------------------------------------------------------------------------------------


def scales(rng: np.random.Generator, blocks: int, middle: float) -> np.ndarray:
    """f16 block scales, spread evenly over 0.5 to 1.5 of `middle`."""
    spread = 0.5 + np.frombuffer(rng.bytes(2 * blocks), "<u2") / 65_536
    return np.maximum(spread * middle, SMALLEST_NORMAL_F16).astype("<f2")


def q4_0(rng: np.random.Generator, count: int, deviation: float) -> bytes:
    """Scale, then 16 bytes of two weights each; a nibble q stands for scale * (q - 8).

    The mean of q - 8 is -1/2, so scales take either sign, as they do in quantised models.
    """
    blocks = np.empty(count // BLOCK, np.dtype([("scale", "<f2"), ("q", "u1", 16)]))
    drawn = scales(rng, len(blocks), deviation / np.sqrt(255 / 12))
    blocks["scale"] = np.where(drawn.view("<u2") & 1, drawn, -drawn)
    blocks["q"] = np.frombuffer(rng.bytes(count // 2), np.uint8).reshape(-1, 16)
    return blocks.tobytes()


def q8_0(rng: np.random.Generator, count: int, deviation: float) -> bytes:
    """Scale, then 32 signed bytes, of which -128 is never used."""
    blocks = np.empty(count // BLOCK, np.dtype([("scale", "<f2"), ("q", "i1", BLOCK)]))
    blocks["scale"] = scales(rng, len(blocks), deviation / np.sqrt((255**2 - 1) / 12))
    drawn = np.frombuffer(rng.bytes(count), np.int8).reshape(-1, BLOCK)
    blocks["q"] = np.maximum(drawn, -127)
    return blocks.tobytes()


def super_blocks(kind: str, places: tuple[int, ...], middles: tuple[float, ...]):
    """Random integers under f16 scales at `places`, `middles` for a deviation of 1."""
    size = ENCODINGS[kind].block_bytes

    def draw(rng: np.random.Generator, count: int, deviation: float) -> bytes:
        number = count // SUPER_BLOCK
        blocks = np.frombuffer(rng.bytes(number * size), np.uint8).reshape(number, size).copy()
        drawn = scales(rng, number, 1.0).astype(np.float32)
        for place, middle in zip(places, middles):
            halves = (drawn * np.float32(deviation * middle)).astype("<f2")
            blocks[:, place:place + 2] = halves.view(np.uint8).reshape(number, 2)
        return blocks.tobytes()

    return draw


def floating(kind: str, rng: np.random.Generator, count: int, deviation: float) -> bytes:
    """Uniform with the given deviation, from 16 bits each."""
    drawn = np.frombuffer(rng.bytes(2 * count), "<i2").astype(np.float32) + 0.5
    return (drawn * np.float32(deviation * np.sqrt(3) / 32_768)).astype(kind).tobytes()


DRAW = {
    "q4_0": q4_0,
    "q8_0": q8_0,
    "f16": lambda rng, count, deviation: floating("<f2", rng, count, deviation),
    "f32": lambda rng, count, deviation: floating("<f4", rng, count, deviation),
    # d, and dmin where it centres s u: means of s and u are 31.5 and 7.5 or 15.5.
    "q4_K": super_blocks("q4_K", (0, 2), (1 / 230, 7.5 / 230)),
    "q5_K": super_blocks("q5_K", (0, 2), (1 / 470, 15.5 / 470)),
    "q6_K": super_blocks("q6_K", (208,), (1 / 1370,)),
}


@dataclass(frozen=True)
class Tensor:
    """`dimensions` in GGUF's order: the contiguous one first. No deviation: a norm, all ones."""

    name: str
    dimensions: tuple[int, ...]
    encoding: str
    deviation: float | None = None

    @property
    def count(self) -> int:
        return int(np.prod(self.dimensions))

    @property
    def bytes(self) -> int:
        encoding = ENCODINGS[self.encoding]
        return self.count // encoding.block * encoding.block_bytes

    def write(self, out: BinaryIO, rng: np.random.Generator, holes: bool) -> None:
        if holes and self.deviation is not None:
            out.truncate(out.tell() + self.bytes)
            out.seek(0, 2)
            return
        if self.deviation is None:
            out.write(np.ones(self.count, "<f4").tobytes())
            return
        for start in range(0, self.count, PIECE):
            count = min(PIECE, self.count - start)
            out.write(DRAW[self.encoding](rng, count, self.deviation))


def tensors(shape: Shape, encoding: str) -> Iterator[Tensor]:
    head = shape.hidden // shape.heads

    def matrix(name: str, inputs: int, outputs: int) -> Tensor:
        return Tensor(name + ".weight", (inputs, outputs), encoding, inputs**-0.5)

    def norm(name: str) -> Tensor:
        return Tensor(name + ".weight", (shape.hidden,), "f32")

    yield Tensor("token_embd.weight", (shape.hidden, shape.vocab), encoding, 1.0)
    for layer in range(shape.layers):
        prefix = f"blk.{layer}."
        yield norm(prefix + "attn_norm")
        yield matrix(prefix + "attn_q", shape.hidden, shape.hidden)
        yield matrix(prefix + "attn_k", shape.hidden, shape.kv_heads * head)
        yield matrix(prefix + "attn_v", shape.hidden, shape.kv_heads * head)
        yield matrix(prefix + "attn_output", shape.hidden, shape.hidden)
        yield norm(prefix + "ffn_norm")
        yield matrix(prefix + "ffn_gate", shape.hidden, shape.ffn)
        yield matrix(prefix + "ffn_up", shape.hidden, shape.ffn)
        yield matrix(prefix + "ffn_down", shape.ffn, shape.hidden)
    yield norm("output_norm")
    yield matrix("output", shape.hidden, shape.vocab)


# --- tokenizer ----------------------------------------------------------------------------------

CONTROL_PIECES = [("<unk>", 2), ("<s>", 3), ("</s>", 3)]  # piece, GGUF's token type
BYTE, NORMAL = 6, 1
CONSONANTS, VOWELS = "bdfghjklmnprstvz", "aeiou"


def word(number: int) -> str:
    """A different pronounceable word for each number."""
    text, number = "", number + 1
    while number > 0:
        number, syllable = divmod(number - 1, len(CONSONANTS) * len(VOWELS))
        text += CONSONANTS[syllable // len(VOWELS)] + VOWELS[syllable % len(VOWELS)]
    return "▁" + text


def vocabulary(size: int) -> tuple[list[str], list[float], list[int]]:
    """Pieces, scores and types: control, the 256 bytes, ASCII, then words that fill it up."""
    known = CONTROL_PIECES + [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
    characters = "▁" + "".join(chr(code) for code in range(33, 127))
    known += [(character, NORMAL) for character in characters]
    if size < len(known):
        raise SystemExit(f"--vocab {size}: at least {len(known)} are needed.")
    known += [(word(number), NORMAL) for number in range(size - len(known))]
    pieces, types = zip(*known)
    first = len(CONTROL_PIECES) + 256
    scores = [0.0] * first + [-float(rank) for rank in range(size - first)]
    return list(pieces), scores, list(types)


# --- the file -----------------------------------------------------------------------------------


def text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def value(item: object) -> bytes:
    """A metadata value behind its type: u32, f32, bool, string or array, by its Python type; the
    integers of an array are i32, as readers expect of token types."""
    if isinstance(item, bool):
        return struct.pack("<I?", 7, item)
    if isinstance(item, int):
        return struct.pack("<II", 4, item)
    if isinstance(item, float):
        return struct.pack("<If", 6, item)
    if isinstance(item, str):
        return struct.pack("<I", 8) + text(item)
    assert isinstance(item, list)
    element = struct.pack("<I", 5) if isinstance(item[0], int) else value(item[0])[:4]
    return (struct.pack("<I", 9) + element + struct.pack("<Q", len(item))
            + b"".join(value(each)[4:] for each in item))


def metadata(shape: Shape, encoding: str, seed: int) -> dict[str, object]:
    pieces, scores, types = vocabulary(shape.vocab)
    return {
        "general.architecture": "llama",
        "general.name": f"random llama, seed {seed}",
        "general.file_type": ENCODINGS[encoding].file_type,
        "general.quantization_version": 2,
        "general.alignment": ALIGNMENT,
        "llama.vocab_size": shape.vocab,
        "llama.context_length": shape.context,
        "llama.embedding_length": shape.hidden,
        "llama.block_count": shape.layers,
        "llama.feed_forward_length": shape.ffn,
        "llama.attention.head_count": shape.heads,
        "llama.attention.head_count_kv": shape.kv_heads,
        "llama.attention.layer_norm_rms_epsilon": shape.rms_epsilon,
        "llama.rope.dimension_count": shape.hidden // shape.heads,
        "llama.rope.freq_base": shape.rope_theta,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": pieces,
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": False,
        "tokenizer.ggml.add_space_prefix": True,
    }


def padding(position: int) -> bytes:
    return bytes(-position % ALIGNMENT)


def write(path: Path, shape: Shape, encoding: str, seed: int, holes: bool) -> None:
    listed = list(tensors(shape, encoding))
    entries = metadata(shape, encoding, seed)
    with path.open("wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(listed), len(entries)))
        for key, item in entries.items():
            out.write(text(key) + value(item))
        offset = 0
        for tensor in listed:
            out.write(text(tensor.name) + struct.pack("<I", len(tensor.dimensions)))
            out.write(struct.pack(f"<{len(tensor.dimensions)}Q", *tensor.dimensions))
            out.write(struct.pack("<IQ", ENCODINGS[tensor.encoding].tensor_type, offset))
            offset += tensor.bytes + len(padding(tensor.bytes))
        out.write(padding(out.tell()))
        for index, tensor in enumerate(listed):
            tensor.write(out, np.random.Generator(np.random.PCG64([seed, index])), holes)
            out.write(padding(tensor.bytes))


def checked(shape: Shape, encoding: str) -> Shape:
    def demand(holds: bool, sentence: str) -> None:
        if not holds:
            raise SystemExit(sentence)

    width = ENCODINGS[encoding].block
    demand(shape.hidden % shape.heads == 0 and shape.hidden // shape.heads % 2 == 0,
           f"--hidden {shape.hidden}: {shape.heads} heads of an even width must divide it.")
    demand(shape.heads % shape.kv_heads == 0,
           f"--kv-heads {shape.kv_heads}: must divide --heads {shape.heads}.")
    for name in ("hidden", "ffn"):
        demand(getattr(shape, name) % width == 0,
               f"--{name} {getattr(shape, name)}: {encoding} needs a multiple of {width}.")
    return shape


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--preset", choices=PRESETS, default="tiny")
    parser.add_argument("--type", choices=ENCODINGS, default="q8_0")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--holes", action="store_true", help="matrices are holes: zero")
    for field in fields(Shape):
        kind = float if field.name.startswith(("rope", "rms")) else int
        parser.add_argument("--" + field.name.replace("_", "-"), type=kind,
                            help="instead of the preset's")
    arguments = parser.parse_args()
    preset = PRESETS[arguments.preset]
    given = {field.name: getattr(arguments, field.name) for field in fields(Shape)}
    chosen = {name: getattr(preset, name) if own is None else own for name, own in given.items()}
    shape = checked(Shape(**chosen), arguments.type)
    write(arguments.out, shape, arguments.type, arguments.seed, arguments.holes)


if __name__ == "__main__":
    main()
