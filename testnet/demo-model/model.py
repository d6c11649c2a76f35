"""The demo model in torch: a Llama of a few million parameters, read from top to bottom.

Rotary embeddings turn neighbouring pairs (2i, 2i + 1), as GGUF files of the `llama` architecture
store them, so that weights are exported without a permutation.
"""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Widths in multiples of 256: whole blocks of every quantisation, and even shares to deal."""

    vocabulary: int = 1536
    context: int = 512
    hidden: int = 256
    layers: int = 6
    heads: int = 8
    kv_heads: int = 8
    ffn: int = 768
    rope_theta: float = 10_000.0
    rms_epsilon: float = 1e-5

    @property
    def head(self) -> int:
        return self.hidden // self.heads


def rotations(shape: Shape, length: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of each position and pair: (length, head / 2) each."""
    exponents = torch.arange(0, shape.head, 2, dtype=torch.float64) / shape.head
    angles = torch.outer(torch.arange(length, dtype=torch.float64), shape.rope_theta**-exponents)
    return angles.cos().float(), angles.sin().float()


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """x: (batch, heads, length, head); pairs are neighbours."""
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1)
    return turned.flatten(-2).to(x.dtype)


class RMSNorm(nn.Module):
    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon) * self.weight


class Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv_width = shape.kv_heads * shape.head
        self.attn_norm = RMSNorm(shape.hidden, shape.rms_epsilon)
        self.attn_q = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.attn_k = nn.Linear(shape.hidden, kv_width, bias=False)
        self.attn_v = nn.Linear(shape.hidden, kv_width, bias=False)
        self.attn_output = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.ffn_norm = RMSNorm(shape.hidden, shape.rms_epsilon)
        self.ffn_gate = nn.Linear(shape.hidden, shape.ffn, bias=False)
        self.ffn_up = nn.Linear(shape.hidden, shape.ffn, bias=False)
        self.ffn_down = nn.Linear(shape.ffn, shape.hidden, bias=False)

    def attention(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        def heads(y: Tensor) -> Tensor:  # (batch, heads, length, head)
            return y.unflatten(-1, (-1, self.shape.head)).transpose(1, 2)

        q = rotate(heads(self.attn_q(x)), cosine, sine)
        k = rotate(heads(self.attn_k(x)), cosine, sine)
        v = heads(self.attn_v(x))
        grouped = self.shape.kv_heads != self.shape.heads
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=grouped)
        return self.attn_output(mixed.transpose(1, 2).flatten(-2))

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        x = x + self.attention(self.attn_norm(x), cosine, sine)
        y = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y))


class Llama(nn.Module):
    """Modules carry the tensor names of GGUF; `blk` is the list of layers."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.hidden)
        self.blk = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.output_norm = RMSNorm(shape.hidden, shape.rms_epsilon)
        self.output = nn.Linear(shape.hidden, shape.vocabulary, bias=False)
        cosine, sine = rotations(shape, shape.context)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)

    def initialise(self, seed: int) -> None:
        """Normal weights of 1/sqrt(fan in); what writes to the residual stream starts at zero."""
        generator = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            if weight.dim() < 2:
                continue
            deviation = 0.02 if "token_embd" in name else weight.shape[1] ** -0.5
            nn.init.normal_(weight, std=deviation, generator=generator)
            if name.endswith(("attn_output.weight", "ffn_down.weight", "output.weight")):
                nn.init.zeros_(weight)

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens (batch, length) -> logits (batch, length, vocabulary)."""
        length = tokens.shape[1]
        x = self.token_embd(tokens)
        for layer in self.blk:
            x = layer(x, self.cosine[:length], self.sine[:length])
        return self.output(self.output_norm(x))
