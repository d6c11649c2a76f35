"""Writes headers of a Llama 70B without its weights: a config.json, and the beginning of a GGUF file
with a vocabulary of 128,256 tokens and 280,147 merges (format: docs/gguf.md in ggml's repository).

    python3 headers.py FOLDER
"""

import json
import struct
import sys
from pathlib import Path

HIDDEN, LAYERS, HEADS, GROUPS, FFN, TOKENS = 8192, 80, 64, 8, 28672, 128256

CONFIG = {
    "model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": FFN,
    "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": GROUPS,
    "vocab_size": TOKENS, "max_position_embeddings": 8192, "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, kind, data):
    return text(key) + struct.pack("<I", kind) + data


def strings(values):
    return struct.pack("<IQ", 8, len(values)) + b"".join(text(value) for value in values)


def metadata():
    number = lambda key, value: entry("llama." + key, 4, struct.pack("<I", value))
    yield entry("general.architecture", 8, text("llama"))
    yield number("embedding_length", HIDDEN)
    yield number("block_count", LAYERS)
    yield number("attention.head_count", HEADS)
    yield number("attention.head_count_kv", GROUPS)
    yield number("feed_forward_length", FFN)
    yield number("context_length", 8192)
    yield entry("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5))
    yield entry("llama.rope.freq_base", 6, struct.pack("<f", 500000))
    yield entry("tokenizer.ggml.model", 8, text("gpt2"))
    yield entry("tokenizer.ggml.tokens", 9, strings([f"token{i}" for i in range(TOKENS)]))
    kinds = struct.pack("<IQ", 5, TOKENS) + struct.pack("<i", 1) * TOKENS
    yield entry("tokenizer.ggml.token_type", 9, kinds)
    yield entry("tokenizer.ggml.merges", 9, strings([f"a{i} b{i}" for i in range(280147)]))


def tensors():
    keys = GROUPS * HIDDEN // HEADS
    yield "token_embd.weight", (HIDDEN, TOKENS)
    yield "output.weight", (HIDDEN, TOKENS)
    yield "output_norm.weight", (HIDDEN,)
    for layer in range(LAYERS):
        name = lambda part: f"blk.{layer}.{part}.weight"
        yield name("attn_norm"), (HIDDEN,)
        yield name("ffn_norm"), (HIDDEN,)
        yield name("attn_q"), (HIDDEN, HIDDEN)
        yield name("attn_k"), (HIDDEN, keys)
        yield name("attn_v"), (HIDDEN, keys)
        yield name("attn_output"), (HIDDEN, HIDDEN)
        yield name("ffn_gate"), (HIDDEN, FFN)
        yield name("ffn_up"), (HIDDEN, FFN)
        yield name("ffn_down"), (FFN, HIDDEN)


def gguf():
    """Matrices in Q4_0, vectors in F32."""
    entries, infos, offset = list(metadata()), [], 0
    for name, shape in tensors():
        rows = shape[1] if len(shape) == 2 else 1
        kind, size = (2, rows * shape[0] // 32 * 18) if len(shape) == 2 else (0, shape[0] * 4)
        dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        infos.append(text(name) + dimensions + struct.pack("<IQ", kind, offset))
        offset += (size + 31) // 32 * 32
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(entries))
    return head + b"".join(entries) + b"".join(infos) + bytes(64)


folder = Path(sys.argv[1])
(folder / "llama-70b").mkdir(parents=True)
(folder / "llama-70b" / "config.json").write_text(json.dumps(CONFIG))
(folder / "llama-70b-q4_0.gguf").write_bytes(gguf())
