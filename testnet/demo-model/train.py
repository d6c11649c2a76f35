#!/usr/bin/env python3
"""Trains the demo model on one CPU core: tokenizer, weights, and a log of the loss.

    train.py --out DIRECTORY [--steps N] [--rows N] [--threads N]

Writes tokenizer.model (SentencePiece), model.pt (weights, f32) and loss.csv. The same arguments on
the same machine give the same weights. A run that was interrupted goes on from its checkpoint.
"""
from __future__ import annotations

import argparse
import io
import math
import random
import time
from pathlib import Path

import sentencepiece
import torch
import torch.nn.functional as F

from model import Llama, Shape
from storygen import story

TRAINING_SEED = 1
VALIDATION_SEED = 2
TOKENIZER_STORIES = 20_000
PACKED_FROM = 0.5
PACKED_EVERY = 3
MID_STORY_SHARE = 0.4
PADDING = -100
MUON_RATE = 4e-3
ADAM_RATE = 3e-3
WARM_UP_STEPS = 40
FINAL_RATE = 0.03
CHECKPOINT_STEPS = 50


def train_tokenizer(shape: Shape) -> bytes:
    """SentencePiece BPE with byte fallback. Newlines stay out of it, and so become bytes."""
    rng = random.Random(TRAINING_SEED)
    lines = (line for _ in range(TOKENIZER_STORIES) for line in story(rng).split("\n"))
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines, model_writer=model, model_type="bpe",
        vocab_size=shape.vocabulary, byte_fallback=True, character_coverage=1.0,
        normalization_rule_name="identity", remove_extra_whitespaces=False,
        add_dummy_prefix=True, num_threads=1, minloglevel=2)
    return model.getvalue()


def single(tokenizer, rng: random.Random) -> list[int]:
    """One story. Nothing else is in sight, so that a name can only have come from this story."""
    return [tokenizer.bos_id(), *tokenizer.encode(story(rng)), tokenizer.eos_id()]


def told(tokenizer, rng: random.Random, length: int) -> list[int]:
    """Whole stories, each between <s> and </s>, cut at `length`."""
    row: list[int] = []
    while len(row) < length:
        row += single(tokenizer, rng)
    return row[:length]


def overheard(tokenizer, rng: random.Random, length: int) -> list[int]:
    """As a text file reads from somewhere in its middle: <s>, then stories between blank lines.

    It always begins inside a story, so that a story that the model began itself ends with </s>.
    """
    words = story(rng).split(" ")
    text = " ".join(words[rng.randrange(8, len(words) - 1):])
    tokens: list[int] = []
    while len(tokens) < length:
        text += "\n\n" + story(rng)
        if len(text) > 2 * length:
            tokens = tokenizer.encode(text)
    return [tokenizer.bos_id(), *tokens][:length]


def packed(tokenizer, rng: random.Random, length: int) -> list[int]:
    kind = overheard if rng.random() < MID_STORY_SHARE else told
    return kind(tokenizer, rng, length)


def batch_of(rows: list[list[int]]) -> torch.Tensor:
    """(rows, longest), with PADDING behind the shorter ones."""
    longest = max(len(row) for row in rows)
    return torch.tensor([row + [PADDING] * (longest - len(row)) for row in rows])


def rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to FINAL_RATE of the top."""
    if step < WARM_UP_STEPS:
        return (step + 1) / WARM_UP_STEPS
    progress = (step - WARM_UP_STEPS) / max(1, steps - WARM_UP_STEPS)
    return FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * progress))


def optimisers(model: Llama) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the layers' matrices, AdamW for embedding, head and norms."""
    matrices = [p for n, p in model.named_parameters() if n.startswith("blk") and p.dim() == 2]
    rest = [p for n, p in model.named_parameters() if not n.startswith("blk") or p.dim() != 2]
    return [
        torch.optim.Muon(matrices, lr=MUON_RATE, weight_decay=0.1, momentum=0.95,
                         adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.01),
    ]


def loss_of(model: Llama, batch: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy in nats; matrix products in bf16, all else in f32."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(batch[:, :-1].clamp(min=0))
    targets = batch[:, 1:].flatten()
    return F.cross_entropy(logits.float().flatten(0, 1), targets, ignore_index=PADDING)


class Training:
    def __init__(self, out: Path, steps: int, rows_per_step: int) -> None:
        self.out, self.steps, self.rows_per_step = out, steps, rows_per_step
        self.tokens = 0
        self.shape = Shape()
        self.tokenizer = sentencepiece.SentencePieceProcessor(model_proto=self.vocabulary())
        self.model = Llama(self.shape)
        self.model.initialise(TRAINING_SEED)
        self.optimisers = optimisers(self.model)
        self.rng = random.Random(TRAINING_SEED)
        held_out = random.Random(VALIDATION_SEED)
        self.validation = batch_of([single(self.tokenizer, held_out) for _ in range(48)])
        self.step = 0
        self.resume()

    def vocabulary(self) -> bytes:
        path = self.out / "tokenizer.model"
        if not path.exists():
            path.write_bytes(train_tokenizer(self.shape))
        return path.read_bytes()

    def resume(self) -> None:
        path = self.out / "checkpoint.pt"
        if not path.exists():
            return
        saved = torch.load(path, weights_only=False)
        self.step, self.tokens = saved["step"], saved["tokens"]
        self.model.load_state_dict(saved["model"])
        for optimiser, state in zip(self.optimisers, saved["optimisers"]):
            optimiser.load_state_dict(state)
        self.rng.setstate(saved["rng"])

    def checkpoint(self) -> None:
        partial = self.out / "checkpoint.partial"
        torch.save({"step": self.step, "tokens": self.tokens, "model": self.model.state_dict(),
                    "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                    "rng": self.rng.getstate()}, partial)
        partial.rename(self.out / "checkpoint.pt")

    def batch(self) -> torch.Tensor:
        """Single stories at first; later every third batch fills the whole context instead."""
        if self.step < self.steps * PACKED_FROM or self.step % PACKED_EVERY:
            return batch_of([single(self.tokenizer, self.rng) for _ in range(self.rows_per_step)])
        rows = range(max(1, self.rows_per_step // 3))
        length = self.shape.context + 1
        return batch_of([packed(self.tokenizer, self.rng, length) for _ in rows])

    def advance(self) -> float:
        batch = self.batch()
        self.tokens += int((batch[:, 1:] != PADDING).sum())
        for optimiser, top in zip(self.optimisers, (MUON_RATE, ADAM_RATE)):
            for group in optimiser.param_groups:
                group["lr"] = top * rate(self.step, self.steps)
        loss = loss_of(self.model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return loss.item()

    def validate(self) -> float:
        with torch.no_grad():
            return loss_of(self.model, self.validation).item()

    def run(self) -> None:
        started = time.monotonic()
        with (self.out / "loss.csv").open("a") as log:
            while self.step < self.steps:
                loss = self.advance()
                last = self.step == self.steps
                due = self.step % CHECKPOINT_STEPS == 0 or last
                held_out = f"{self.validate():.4f}" if due else ""
                seconds = time.monotonic() - started
                log.write(f"{self.step},{self.tokens},{loss:.4f},{held_out},{seconds:.0f}\n")
                if due:
                    log.flush()
                    self.checkpoint()
        torch.save(self.model.state_dict(), self.out / "model.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=12, help="stories per step")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(TRAINING_SEED)
    Training(arguments.out, arguments.steps, arguments.rows).run()


if __name__ == "__main__":
    main()
