#!/usr/bin/env python3
"""Writes distributed-llama's two files for a Llama in GGUF's Q4_0: the same weights, bit for bit.

    distributed-llama-model.py IN.gguf OUT.m OUT.t      (needs numpy and the package gguf)

Its q40 is ggml's Q4_0 block (f16 scale, 16 bytes of nibbles); embeddings and norms are f32. The
layout is that of the project's loader (src/llm.cpp, loadLlmNetWeight). The tokenizer has single
bytes and numbered tokens, so that a prompt of N letters is N tokens; what it says means nothing.
"""
import struct
import sys

import numpy as np
from gguf import GGUFReader

KEYS = {"version": 0, "architecture": 1, "hidden": 2, "ffn": 3, "layers": 4, "heads": 5, "kv_heads": 6,
        "vocabulary": 9, "context": 10, "activation": 11, "rope_base": 12, "weight_type": 13,
        "rope_type": 18, "norm_epsilon": 20}
LLAMA, SILU, Q40, ROPE_LLAMA = 0xABCD00, 1, 2, 0


def header(magic: int, pairs: list[tuple[int, int]]) -> bytes:
    body = b"".join(struct.pack("<ii", key, value) for key, value in pairs)
    return struct.pack("<ii", magic, 8 + len(body)) + body


def dequantised(blocks: np.ndarray) -> np.ndarray:
    blocks = blocks.reshape(-1, 18)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    return (nibbles.astype(np.float32) - 8) * scales


def main(source: str, model: str, tokenizer: str) -> None:
    reader = GGUFReader(source)
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}

    def number(name: str) -> float:
        return reader.get_field("llama." + name).contents()

    vocabulary = len(reader.get_field("tokenizer.ggml.tokens").contents())
    layers = int(number("block_count"))
    values = {"version": 0, "architecture": LLAMA, "hidden": number("embedding_length"),
              "ffn": number("feed_forward_length"), "layers": layers,
              "heads": number("attention.head_count"), "kv_heads": number("attention.head_count_kv"),
              "vocabulary": vocabulary, "context": number("context_length"), "activation": SILU,
              "rope_base": 10_000, "weight_type": Q40, "rope_type": ROPE_LLAMA, "norm_epsilon": 5}
    with open(model, "wb") as out:
        out.write(header(0xA00ABCD, [(KEYS[key], int(value)) for key, value in values.items()]))
        out.write(dequantised(tensors["token_embd.weight"]).tobytes())
        for layer in range(layers):
            for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_down", "ffn_up"):
                out.write(tensors[f"blk.{layer}.{name}.weight"].tobytes())
            for name in ("attn_norm", "ffn_norm"):
                out.write(tensors[f"blk.{layer}.{name}.weight"].astype("<f4").tobytes())
        out.write(tensors["output_norm.weight"].astype("<f4").tobytes())
        out.write(tensors["output.weight"].tobytes())
    tokens = [bytes([max(1, token)]) if token < 256 else b"<%d>" % token for token in range(vocabulary)]
    begin, end = vocabulary - 2, vocabulary - 1
    with open(tokenizer, "wb") as out:
        # Keys: version, vocabulary, longest token, first of text, ends of text, whether to add the first.
        pairs = [(0, 1), (1, vocabulary), (2, max(map(len, tokens))), (3, begin), (9, 1), (10, 1)]
        out.write(header(0x567124, pairs) + struct.pack("<i", end))
        for token in tokens:
            out.write(struct.pack("<fI", 0, len(token)) + token)


if __name__ == "__main__":
    main(*sys.argv[1:])
