#!/usr/bin/env python3
"""What the demo model says, computed in numpy from the GGUF file alone; makes the test fixture.

    oracle.py --model Q8_0.gguf --reference F32.gguf --text FILE --out expected.json

Independent of model.py on purpose: it reads names, shapes, types and hyperparameters from the file
that ships, dequantises, and runs in f32. Tokenisation is a direct reading of SentencePiece BPE.
"""
from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import gguf
import numpy as np

PROMPTS = [
    "Once upon a time",
    "One day, there was a shy fox",
    "Last summer, there lived a brave girl named Mia. Mia found a strange seed",
    'Long ago, there was a kind boy named Zoë.\n"Hello!" said Zoë',
]
GENERATED = 64
WINDOW = 512


class Tokenizer:
    """SentencePiece BPE: repeatedly join the neighbours whose joined piece scores highest."""

    def __init__(self, fields: dict) -> None:
        self.pieces: list[str] = fields["tokenizer.ggml.tokens"]
        self.scores: list[float] = fields["tokenizer.ggml.scores"]
        self.bos: int = fields["tokenizer.ggml.bos_token_id"]
        self.eos: int = fields["tokenizer.ggml.eos_token_id"]
        normal = gguf.TokenType.NORMAL
        types = fields["tokenizer.ggml.token_type"]
        self.ids = {p: i for i, p in enumerate(self.pieces) if types[i] == normal}
        self.bytes = {p: i for i, p in enumerate(self.pieces) if types[i] == gguf.TokenType.BYTE}

    def encode(self, text: str) -> list[int]:
        tokens = [self.bos]
        if not text:
            return tokens
        # No piece crosses a newline or the start of a word: each stretch is joined on its own.
        for word in stretches("▁" + text.replace(" ", "▁")):
            for symbol in self.joined(list(word)):
                tokens += self.token(symbol)
        return tokens

    def joined(self, symbols: list[str]) -> list[str]:
        while True:
            pairs = [(self.scores[self.ids[a + b]], -i)
                     for i, (a, b) in enumerate(zip(symbols, symbols[1:])) if a + b in self.ids]
            if not pairs:
                return symbols
            i = -max(pairs)[1]
            symbols[i:i + 2] = [symbols[i] + symbols[i + 1]]

    def token(self, symbol: str) -> list[int]:
        if symbol in self.ids:
            return [self.ids[symbol]]
        return [self.bytes[f"<0x{byte:02X}>"] for byte in symbol.encode()]

    def decode(self, tokens: list[int]) -> str:
        data = b""
        for token in tokens:
            piece = self.pieces[token]
            byte = piece in self.bytes
            data += bytes([int(piece[3:5], 16)]) if byte else piece.replace("▁", " ").encode()
        return data.decode(errors="replace")


def stretches(text: str) -> list[str]:
    out = [""]
    for character in text:
        if character in "▁\n" and out[-1] and out[-1] != character:
            out.append("")
        out[-1] += character
    return out


def rms_norm(x: np.ndarray, weight: np.ndarray, epsilon: float) -> np.ndarray:
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(epsilon)) * weight


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class Llama:
    def __init__(self, path: Path) -> None:
        reader = gguf.GGUFReader(path)
        self.fields = {name: field.contents() for name, field in reader.fields.items()}
        self.weights = {
            t.name: gguf.quants.dequantize(t.data, t.tensor_type)
            .reshape(tuple(reversed(t.shape))).astype(np.float32)
            for t in reader.tensors
        }
        self.layers = self.fields["llama.block_count"]
        self.heads = self.fields["llama.attention.head_count"]
        self.kv_heads = self.fields["llama.attention.head_count_kv"]
        self.head = self.fields["llama.embedding_length"] // self.heads
        self.epsilon = self.fields["llama.attention.layer_norm_rms_epsilon"]
        pairs = np.arange(0, self.head, 2, dtype=np.float64) / self.head
        positions = np.arange(self.fields["llama.context_length"], dtype=np.float64)
        angles = np.outer(positions, self.fields["llama.rope.freq_base"] ** -pairs)
        self.cosine = np.cos(angles).astype(np.float32)
        self.sine = np.sin(angles).astype(np.float32)

    def rotate(self, x: np.ndarray) -> np.ndarray:
        """x: (length, heads, head), neighbouring pairs."""
        cosine, sine = self.cosine[:len(x), None], self.sine[:len(x), None]
        out = np.empty_like(x)
        out[..., 0::2] = x[..., 0::2] * cosine - x[..., 1::2] * sine
        out[..., 1::2] = x[..., 0::2] * sine + x[..., 1::2] * cosine
        return out

    def attention(self, x: np.ndarray, layer: str) -> np.ndarray:
        w, length = self.weights, len(x)
        q = (x @ w[layer + "attn_q.weight"].T).reshape(length, self.heads, self.head)
        k = (x @ w[layer + "attn_k.weight"].T).reshape(length, self.kv_heads, self.head)
        v = (x @ w[layer + "attn_v.weight"].T).reshape(length, self.kv_heads, self.head)
        q, k = self.rotate(q), self.rotate(k)
        group = self.heads // self.kv_heads
        k, v = k.repeat(group, axis=1), v.repeat(group, axis=1)
        scores = np.einsum("ihd,jhd->hij", q, k) / np.float32(np.sqrt(self.head))
        scores += np.triu(np.full((length, length), -np.inf, np.float32), 1)
        mixed = np.einsum("hij,jhd->ihd", softmax(scores), v).reshape(length, -1)
        return mixed @ w[layer + "attn_output.weight"].T

    def feed_forward(self, x: np.ndarray, layer: str) -> np.ndarray:
        gate = x @ self.weights[layer + "ffn_gate.weight"].T
        up = x @ self.weights[layer + "ffn_up.weight"].T
        return (gate / (1 + np.exp(-gate)) * up) @ self.weights[layer + "ffn_down.weight"].T

    def logits(self, tokens: list[int]) -> np.ndarray:
        """(length, vocabulary)"""
        x = self.weights["token_embd.weight"][tokens]
        for index in range(self.layers):
            layer = f"blk.{index}."
            y = rms_norm(x, self.weights[layer + "attn_norm.weight"], self.epsilon)
            x = x + self.attention(y, layer)
            y = rms_norm(x, self.weights[layer + "ffn_norm.weight"], self.epsilon)
            x = x + self.feed_forward(y, layer)
        x = rms_norm(x, self.weights["output_norm.weight"], self.epsilon)
        return x @ self.weights["output.weight"].T


def perplexity(model: Llama, tokens: list[int], bos: int) -> dict:
    """As llama.cpp's tool does it: windows of WINDOW tokens, each begun with <s>, the second half
    of each scored."""
    losses: list[float] = []
    for start in range(0, len(tokens) - WINDOW + 1, WINDOW):
        window = [bos, *tokens[start + 1:start + WINDOW]]
        rows = model.logits(window)[WINDOW // 2:-1].astype(np.float64)
        top = rows.max(axis=-1)
        total = top + np.log(np.exp(rows - top[:, None]).sum(axis=-1))
        losses += list(total - rows[np.arange(len(rows)), window[WINDOW // 2 + 1:]])
    return {"perplexity": round(float(np.exp(np.mean(losses))), 6), "scored": len(losses)}


def top(row: np.ndarray, count: int = 8) -> list[list]:
    return [[int(i), round(float(row[i]), 5)] for i in np.argsort(-row, kind="stable")[:count]]


def greedy(model: Llama, tokenizer: Tokenizer, prompt: str) -> dict:
    """`margins`: how far each token led over the next best. Arithmetic that rounds activations may
    part from these tokens where a margin is small, and only there."""
    tokens = tokenizer.encode(prompt)
    count = len(tokens)
    after_prompt = row = model.logits(tokens)[-1]
    margins = []
    while len(tokens) < count + GENERATED:
        first, second = np.sort(row)[[-1, -2]]
        margins.append(round(float(first - second), 4))
        tokens.append(int(row.argmax()))
        row = model.logits(tokens)[-1]
    return {
        "prompt": prompt, "promptTokens": tokens[:count], "tokens": tokens[count:],
        "text": tokenizer.decode(tokens[count:]), "margins": margins,
        "topAfterPrompt": top(after_prompt), "topAfterLast": top(row),
    }


def on_one_line(text: str) -> str:
    """Joins each innermost list of numbers, which json spreads over a line per number."""
    return re.sub(r"\[\s+([-\d.,\s]+?)\s+\]", lambda m: f"[{' '.join(m[1].split())}]", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    model, reference = Llama(arguments.model), Llama(arguments.reference)
    tokenizer = Tokenizer(model.fields)
    text = tokenizer.encode(arguments.text.read_text())
    expected = {
        "model": arguments.model.name,
        "arithmetic": "f32 over dequantised weights",
        "greedy": [greedy(model, tokenizer, prompt) for prompt in PROMPTS],
        "text": {
            "file": arguments.text.name, "tokens": len(text), "window": WINDOW,
            "f32": perplexity(reference, text, tokenizer.bos),
            "q8_0": perplexity(model, text, tokenizer.bos),
        },
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(expected, indent=1, ensure_ascii=False)
    arguments.out.write_text(on_one_line(text) + "\n")


if __name__ == "__main__":
    main()
