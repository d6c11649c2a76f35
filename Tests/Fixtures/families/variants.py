"""The models that make.py makes: a name, the family's `model_type`, and what its configuration says beside
the common keys. `...` takes a common key away."""

YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16, rope_theta=10000.0)
LONG = dict(rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=4,
            short_factor=[1.0, 1.3], long_factor=[1.5, 4.0])
HALF = dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.5)
FALCON = dict(num_key_value_heads=..., intermediate_size=..., ffn_hidden_size=24, num_kv_heads=2)
GPT2 = dict(hidden_size=..., num_hidden_layers=..., num_attention_heads=..., num_key_value_heads=...,
            intermediate_size=..., max_position_embeddings=..., n_embd=18, n_layer=2, n_head=3, n_inner=24,
            n_positions=64)
ENCODER = dict(num_key_value_heads=..., bos_token_id=..., eos_token_id=..., pad_token_id=0)

VARIANTS = {
    # Llama: rotary scalings, odd heads, biases.
    "llama-linear": ("llama", dict(rope_parameters=dict(rope_type="linear", factor=3.0, rope_theta=10000.0))),
    "llama-dynamic": ("llama", dict(rope_parameters=dict(rope_type="dynamic", factor=2.0, rope_theta=10000.0))),
    "llama-yarn": ("llama", dict(rope_parameters=YARN)),
    "llama-yarn-scales": ("llama", dict(rope_parameters=dict(YARN, mscale=0.9, mscale_all_dim=0.4))),
    "llama-yarn-untruncated": ("llama", dict(
        rope_parameters=dict(YARN, truncate=False, beta_fast=4.0, beta_slow=1.0), head_dim=16)),
    "llama-yarn-factor": ("llama", dict(rope_parameters=dict(YARN, attention_factor=1.3, beta_fast=16.0))),
    "llama3": ("llama", dict(rope_parameters=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=32, rope_theta=500000.0))),
    "llama-odd": ("llama", dict(num_attention_heads=9, num_key_value_heads=3, head_dim=6, hidden_size=27,
                                intermediate_size=37, attention_bias=True, mlp_bias=True)),
    "llama-tied-f16": ("llama", dict(tie_word_embeddings=True, torch_dtype="float16")),
    "llama-bf16-sharded": ("llama", dict(torch_dtype="bfloat16", num_key_value_heads=1)),
    "mistral-window": ("mistral", dict(sliding_window=6, head_dim=8)),
    "mistral-whole": ("mistral", dict(sliding_window=None)),
    "mixtral-odd": ("mixtral", dict(num_local_experts=5, num_experts_per_tok=3, sliding_window=7)),
    "mixtral-one": ("mixtral", dict(num_local_experts=3, num_experts_per_tok=1, head_dim=8)),
    # Qwen.
    "qwen2-window": ("qwen2", dict(use_sliding_window=True, sliding_window=5, max_window_layers=1)),
    "qwen2-tied": ("qwen2", dict(tie_word_embeddings=True, hidden_size=24, num_attention_heads=6,
                                  num_key_value_heads=1)),
    "qwen2-moe": ("qwen2_moe", dict(num_experts=5, num_experts_per_tok=2, moe_intermediate_size=8,
                                    shared_expert_intermediate_size=20, norm_topk_prob=False)),
    "qwen2-moe-normed": ("qwen2_moe", dict(num_experts=4, num_experts_per_tok=3, moe_intermediate_size=8,
                                           shared_expert_intermediate_size=20, norm_topk_prob=True,
                                           qkv_bias=False)),
    "qwen2-moe-window": ("qwen2_moe", dict(num_experts=3, num_experts_per_tok=2, moe_intermediate_size=8,
                                           shared_expert_intermediate_size=16, use_sliding_window=True,
                                           sliding_window=4, max_window_layers=3, num_hidden_layers=4)),
    "qwen3-bias": ("qwen3", dict(attention_bias=True, head_dim=8)),
    "qwen3-window": ("qwen3", dict(use_sliding_window=True, sliding_window=5, max_window_layers=1, head_dim=10)),
    "qwen3-moe": ("qwen3_moe", dict(num_experts=5, num_experts_per_tok=2, moe_intermediate_size=8,
                                    norm_topk_prob=True, head_dim=8)),
    "qwen3-moe-window": ("qwen3_moe", dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=8,
                                           head_dim=8, use_sliding_window=True, sliding_window=4)),
    "qwen3-moe-plain": ("qwen3_moe", dict(num_experts=3, num_experts_per_tok=2, moe_intermediate_size=4,
                                          norm_topk_prob=False, head_dim=8, tie_word_embeddings=True)),
    # Gemma.
    "gemma": ("gemma", dict(head_dim=8, num_key_value_heads=1)),
    "gemma-untied": ("gemma", dict(head_dim=10, tie_word_embeddings=False)),
    "gemma2": ("gemma2", dict(head_dim=8, sliding_window=6, query_pre_attn_scalar=12, num_hidden_layers=3,
                              attn_logit_softcapping=2.0, final_logit_softcapping=3.0)),
    "gemma2-plain": ("gemma2", dict(head_dim=8, sliding_window=4, attn_logit_softcapping=None,
                                    final_logit_softcapping=None, attention_bias=True)),
    "gemma3": ("gemma3_text", dict(head_dim=8, sliding_window=5, num_hidden_layers=3, query_pre_attn_scalar=8,
                                   layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                                   rope_parameters=dict(
                                       full_attention=dict(rope_type="linear", factor=8.0, rope_theta=100000.0),
                                       sliding_attention=dict(rope_type="default", rope_theta=5000.0)))),
    "gemma3-capped": ("gemma3_text", dict(head_dim=8, sliding_window=5, final_logit_softcapping=4.0,
                                          num_hidden_layers=7, num_attention_heads=2, num_key_value_heads=1,
                                          query_pre_attn_scalar=8)),
    # Phi-3.
    "phi3-long": ("phi3", dict(rope_parameters=LONG, original_max_position_embeddings=4)),
    "phi3-partial": ("phi3", dict(hidden_size=24, sliding_window=6, num_attention_heads=3, num_key_value_heads=1,
                                  rope_parameters=dict(rope_type="default", rope_theta=10000.0,
                                                       partial_rotary_factor=0.75))),
    # Falcon.
    "falcon-new": ("falcon", dict(FALCON, new_decoder_architecture=True)),
    "falcon-new-one-norm": ("falcon", dict(FALCON, new_decoder_architecture=True, num_ln_in_parallel_attn=1,
                                           bias=True)),
    "falcon-query": ("falcon", dict(FALCON, multi_query=True, parallel_attn=True)),
    "falcon-heads": ("falcon", dict(FALCON, multi_query=False, parallel_attn=False, bias=True,
                                    hidden_size=18, num_attention_heads=3,
                                    num_kv_heads=3, tie_word_embeddings=False)),
    # GPT-NeoX.
    "neox": ("gpt_neox", dict(num_key_value_heads=..., rope_parameters=HALF)),
    "neox-serial": ("gpt_neox", dict(num_key_value_heads=..., use_parallel_residual=False, hidden_act="gelu_fast",
                                     rope_parameters=dict(rope_type="linear", factor=2.0, rope_theta=20000.0,
                                                          partial_rotary_factor=1.0))),
    "neox-no-bias": ("gpt_neox", dict(num_key_value_heads=..., attention_bias=False, hidden_size=18,
                                      num_attention_heads=3,
                                      tie_word_embeddings=True)),
    # StableLM.
    "stablelm": ("stablelm", dict(use_qkv_bias=True, rope_parameters=HALF)),
    "stablelm-parallel": ("stablelm", dict(use_parallel_residual=True, rope_parameters=HALF)),
    "stablelm-normed": ("stablelm", dict(qk_layernorm=True, use_parallel_residual=True, rope_parameters=HALF)),
    "stablelm-normed-serial": ("stablelm", dict(qk_layernorm=True, hidden_size=24, num_attention_heads=3,
                                                num_key_value_heads=1,
                                                use_qkv_bias=True)),
    # Granite, SmolLM 3, OLMo.
    "granite": ("granite", dict(embedding_multiplier=3.0, attention_multiplier=0.3, residual_multiplier=0.5,
                                logits_scaling=2.0, attention_bias=True, mlp_bias=True)),
    "granite-plain": ("granite", dict(tie_word_embeddings=True)),
    "smollm3": ("smollm3", dict(num_hidden_layers=5)),
    "smollm3-interval": ("smollm3", dict(num_hidden_layers=4, no_rope_layer_interval=2, attention_bias=True)),
    "smollm3-window": ("smollm3", dict(num_hidden_layers=4, use_sliding_window=True, sliding_window=5,
                                       no_rope_layers=[0, 1, 1, 0], mlp_bias=True)),
    "olmo2": ("olmo2", dict(hidden_size=24, num_attention_heads=6, num_key_value_heads=2, attention_bias=True)),
    "olmo3": ("olmo3", dict(num_hidden_layers=4, sliding_window=6, rope_parameters=dict(
        full_attention=YARN, sliding_attention=dict(rope_type="default", rope_theta=10000.0)))),
    # StarCoder 2, GPT-2.
    "starcoder2": ("starcoder2", dict(use_bias=False, sliding_window=6, tie_word_embeddings=False)),
    "gpt2-untied": ("gpt2", dict(GPT2, tie_word_embeddings=False, activation_function="relu")),
    "gpt2-unscaled": ("gpt2", dict(GPT2, scale_attn_weights=False, activation_function="gelu")),
    # Without attention.
    "mamba-untied": ("mamba", dict(num_attention_heads=..., num_key_value_heads=..., intermediate_size=...,
                                   max_position_embeddings=..., tie_word_embeddings=False, time_step_rank=5)),
    "falcon-mamba": ("falcon_mamba", dict(num_attention_heads=..., num_key_value_heads=..., intermediate_size=...,
                                          max_position_embeddings=..., state_size=4)),
    # Encoders.
    "bert-relu": ("bert", dict(ENCODER, hidden_act="relu", type_vocab_size=3)),
    "roberta": ("roberta", dict(ENCODER, pad_token_id=1, type_vocab_size=1)),
    "xlm-roberta": ("xlm-roberta", dict(ENCODER, pad_token_id=1, type_vocab_size=1)),
    "camembert": ("camembert", dict(ENCODER, pad_token_id=1, type_vocab_size=1)),
    "distilbert": ("distilbert", dict(
        ENCODER, hidden_size=..., num_hidden_layers=..., num_attention_heads=..., intermediate_size=..., dim=18,
        n_layers=2, n_heads=3, hidden_dim=24)),
    "nomic": ("nomic_bert", dict(ENCODER, rope_parameters=dict(rope_type="default", rope_theta=1000.0))),
}
