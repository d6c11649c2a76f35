#!/usr/bin/env python3
"""Writes the trained demo model as GGUF files: F32, for oracles, and Q8_0, which ships.

    export.py --from DIRECTORY --f32 FILE --q8-0 FILE

Norms stay F32; every matrix becomes Q8_0 by ggml's rule (blocks of 32, scale = max |x| / 127).
"""
from __future__ import annotations

import argparse
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch

from model import Llama, Shape

Q8_0 = gguf.GGMLQuantizationType.Q8_0
F32 = gguf.GGMLQuantizationType.F32


def add_tokenizer(writer: gguf.GGUFWriter, tokenizer) -> None:
    ids = range(tokenizer.vocab_size())
    writer.add_tokenizer_model("llama")
    writer.add_token_list([tokenizer.id_to_piece(i) for i in ids])
    writer.add_token_scores([tokenizer.get_score(i) for i in ids])
    writer.add_token_types([token_type(tokenizer, i) for i in ids])
    writer.add_bos_token_id(tokenizer.bos_id())
    writer.add_eos_token_id(tokenizer.eos_id())
    writer.add_unk_token_id(tokenizer.unk_id())
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(True)


def token_type(tokenizer, token: int) -> gguf.TokenType:
    if tokenizer.is_unknown(token):
        return gguf.TokenType.UNKNOWN
    if tokenizer.is_control(token):
        return gguf.TokenType.CONTROL
    if tokenizer.is_byte(token):
        return gguf.TokenType.BYTE
    return gguf.TokenType.NORMAL


def add_shape(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.ffn)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_layer_norm_rms_eps(shape.rms_epsilon)


def write(path: Path, model: Llama, tokenizer, matrices: gguf.GGMLQuantizationType) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Shoal Stories")
    writer.add_description("Short stories from a grammar; made for the demo of Shoal.")
    writer.add_license("apache-2.0")
    quantised = matrices == Q8_0
    writer.add_file_type(
        gguf.LlamaFileType.MOSTLY_Q8_0 if quantised else gguf.LlamaFileType.ALL_F32)
    if quantised:
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    add_shape(writer, model.shape)
    add_tokenizer(writer, tokenizer)
    for name, tensor in model.state_dict().items():
        values = tensor.numpy().astype(np.float32)
        stored = matrices if values.ndim == 2 else F32
        writer.add_tensor(name, gguf.quants.quantize(values, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, required=True)
    parser.add_argument("--f32", type=Path, required=True)
    parser.add_argument("--q8-0", type=Path, required=True)
    arguments = parser.parse_args()
    model = Llama(Shape())
    model.load_state_dict(torch.load(arguments.source / "model.pt"))
    tokenizer = sentencepiece.SentencePieceProcessor(
        model_file=str(arguments.source / "tokenizer.model"))
    write(arguments.f32, model, tokenizer, F32)
    write(arguments.q8_0, model, tokenizer, Q8_0)


if __name__ == "__main__":
    main()
