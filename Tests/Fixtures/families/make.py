#!/usr/bin/env python3
"""Makes tiny models of random weights of every family, and what transformers computes with them.

    pip install torch==2.13.0+cpu transformers==5.23.0 safetensors
    make.py FOLDER [NAME...]

Each model is a directory as the hub has it: `config.json` (as transformers 5 writes it), `config_hub.json`
(the same in the hub's older keys, where they differ), `model.safetensors`, and `expected.json` with greedy
tokens and last logits (decoders) or last rows (encoders), in f32 and without a cache.
"""
import json
import pathlib
import sys

import torch
import transformers
from variants import VARIANTS

FOLDER = pathlib.Path(__file__).resolve().parent
VOCABULARY = 40
COMMON = dict(vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
              num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
              bos_token_id=None, eos_token_id=None, pad_token_id=None)


def config(name):
    """The configuration of one variant; `None` takes a common key away."""
    kind, own = VARIANTS[name]
    keys = {key: value for key, value in {**COMMON, **own}.items() if value is not Ellipsis}
    keys.pop("torch_dtype", None)
    return transformers.AutoConfig.for_model(kind, **keys)


def randomise(model, seed):
    """Weights large enough that every part of a layer is seen in the logits."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in sorted(model.named_parameters()):
        noise = torch.randn(tensor.shape, generator=generator)
        with torch.no_grad():
            if name.endswith("A_log"):
                tensor.copy_(noise * 0.3)
            elif "norm" in name.lower() or ".ln" in name or "ln_" in name:
                tensor.copy_(tensor + noise * 0.2)
            elif tensor.dim() == 1:
                tensor.copy_(noise * 0.2)
            elif "embed" in name or "wte" in name or "wpe" in name:
                tensor.copy_(noise * 0.8)
            else:
                tensor.copy_(noise * (1.6 / tensor.shape[-1] ** 0.5))


def prompts():
    generator = torch.Generator().manual_seed(7)
    for count in (5, 19):
        yield torch.randint(3, VOCABULARY, (count,), generator=generator).tolist()


def decoder(model, length):
    """Greedy tokens, each from the whole text, so that no cache has a say."""
    cases = []
    for prompt in prompts():
        ids, gap = list(prompt), float("inf")
        first = None
        for _ in range(length):
            with torch.no_grad():
                logits = model(torch.tensor([ids]), use_cache=False).logits[0, -1].float()
            if first is None:
                first = logits.tolist()
            best = torch.topk(logits, 2).values
            gap = min(gap, float(best[0] - best[1]))
            ids.append(int(logits.argmax()))
        cases.append(dict(input_ids=prompt, greedy=ids[len(prompt):], logits_last=first, gap=gap))
    return cases


def encoder(model):
    cases = []
    for prompt in prompts():
        with torch.no_grad():
            rows = model(torch.tensor([prompt])).last_hidden_state[0].float()
        cases.append(dict(input_ids=prompt, rows=rows.tolist()))
    return cases


def without_rules(keys):
    """Without the kinds of the layers, where they follow from the family's rule."""
    rest = {key: value for key, value in keys.items() if key != "layer_types"}
    own = {key: value for key, value in rest.items() if key not in ("model_type", "transformers_version")}
    ruled = transformers.AutoConfig.for_model(keys["model_type"], **own)
    return rest if getattr(ruled, "layer_types", None) == keys.get("layer_types") else keys


def hub(keys):
    """The older keys: rotary positions apart, `torch_dtype`, no list of layers where a rule gives it."""
    keys = dict(keys)
    keys = without_rules(keys)
    rope = keys.pop("rope_parameters", None)
    keys["torch_dtype"] = keys.pop("dtype", "float32")
    if rope is None:
        return keys
    if "full_attention" in rope:
        whole, local = rope["full_attention"], rope["sliding_attention"]
        keys["rope_theta"] = whole["rope_theta"]
        keys["rope_local_base_freq"] = local["rope_theta"]
        rope = whole
    else:
        keys["rope_theta"] = rope["rope_theta"]
    fraction = rope.get("partial_rotary_factor")
    if fraction is not None:
        keys["rotary_pct" if keys["model_type"] == "gpt_neox" else "partial_rotary_factor"] = fraction
    scaling = {key: value for key, value in rope.items()
               if key not in ("rope_theta", "partial_rotary_factor")}
    if keys["model_type"] == "gpt_neox":
        keys["rotary_emb_base"] = keys.pop("rope_theta")
    if keys["model_type"] == "phi3":
        keys["original_max_position_embeddings"] = scaling.pop(
            "original_max_position_embeddings", keys.get("original_max_position_embeddings"))
        scaling.pop("factor", None)
    kind = scaling.get("rope_type", "default")
    keys["rope_scaling"] = None if kind == "default" else scaling
    return keys


def make(name, folder):
    settings = config(name)
    kind = settings.model_type
    is_encoder = kind in ("bert", "roberta", "xlm-roberta", "camembert", "distilbert", "nomic_bert")
    if hasattr(settings, "_attn_implementation"):
        settings._attn_implementation = "eager"
    auto = transformers.AutoModel if is_encoder else transformers.AutoModelForCausalLM
    model = auto.from_config(settings).eval()
    randomise(model, sum(name.encode()))
    dtype = VARIANTS[name][1].get("torch_dtype")
    if dtype:
        model = model.to(getattr(torch, dtype))
    path = pathlib.Path(folder) / name
    path.mkdir(parents=True, exist_ok=True)
    size = {"max_shard_size": "12KB"} if name.endswith("sharded") else {}
    model.save_pretrained(path, **size)
    (path / "generation_config.json").unlink(missing_ok=True)
    keys = json.loads((path / "config.json").read_text())
    older = hub(keys)
    if older != keys:
        (path / "config_hub.json").write_text(json.dumps(older, indent=1) + "\n")
    # What a file in half precision says, in f32.
    model = auto.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
    cases = encoder(model) if is_encoder else decoder(model, 12)
    expected = dict(kind="encoder" if is_encoder else "decoder",
                    runtime=f"transformers {transformers.__version__} torch {torch.__version__}",
                    cases=cases)
    text = json.dumps(json.loads(json.dumps(expected), parse_float=lambda x: float(f"{float(x):.7g}")))
    (path / "expected.json").write_text(text + "\n")
    (path / "tokenizer.json").write_bytes((FOLDER / "tokenizer.json").read_bytes())
    gap = "" if is_encoder else f", least gap {min(case['gap'] for case in cases):.3f}"
    print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters{gap}", flush=True)


if __name__ == "__main__":
    target, names = sys.argv[1], sys.argv[2:] or list(VARIANTS)
    for name in names:
        try:
            make(name, target)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}", flush=True)
