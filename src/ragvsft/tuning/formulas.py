"""Trainable parameters, memory, floating-point operations, hours and dollars of fine-tuning.

Shapes are those of a dense Llama-like decoder: query and output, key and value, and three feed-forward
matrices a layer, without biases. `query_size` is heads times head dimension, `key_value_size` the same for
the key-value heads. Sizes are GB of 10^9 bytes.
"""

from ragvsft.formula import Quantity, ceil, where

BYTES_BF16 = 2
BYTES_TRAINED = 16
BITS_NF4 = 4.127
LAYER_ACTIVATION_BYTES = 34
LOGIT_BYTES = 8
USABLE_MEMORY = 0.9


# Parameters


def linear_parameters(
    layers: Quantity,
    hidden_size: Quantity,
    query_size: Quantity,
    key_value_size: Quantity,
    intermediate_size: Quantity,
) -> Quantity:
    """Parameters in the matrices that LoRA adapts and QLoRA quantises."""
    return layers * hidden_size * (2 * query_size + 2 * key_value_size + 3 * intermediate_size)


def other_parameters(
    layers: Quantity,
    hidden_size: Quantity,
    vocabulary_size: Quantity,
    embedding_matrices: Quantity,
    head_norm_size: Quantity,
) -> Quantity:
    """Parameters in embeddings and norms, kept in bf16 by QLoRA.

    `embedding_matrices` is 1 if input and output share one, else 2; `head_norm_size` is the width of query
    and key norms in each layer, 0 without.
    """
    norms = (2 * layers + 1) * hidden_size + layers * head_norm_size
    return embedding_matrices * vocabulary_size * hidden_size + norms


def lora_parameters(
    rank: Quantity,
    layers: Quantity,
    hidden_size: Quantity,
    query_size: Quantity,
    key_value_size: Quantity,
    intermediate_size: Quantity,
) -> Quantity:
    """Trainable parameters with an adapter on every linear matrix of every layer.

    An adapter on a matrix from d_in to d_out has rank * (d_in + d_out). Source: Hu et al., arXiv 2106.09685.
    """
    attention = 2 * (hidden_size + query_size) + 2 * (hidden_size + key_value_size)
    feed_forward = 3 * (hidden_size + intermediate_size)
    return rank * layers * (attention + feed_forward)


def lora_query_value_parameters(
    rank: Quantity, layers: Quantity, hidden_size: Quantity, query_size: Quantity, key_value_size: Quantity
) -> Quantity:
    """Trainable parameters with adapters on the query and value matrices only. Source: arXiv 2106.09685."""
    return rank * layers * (2 * hidden_size + query_size + key_value_size)


# Memory


def full_tuning_gb(parameters: Quantity) -> Quantity:
    """GB of weights, gradients and optimiser state when everything is trained: 16 bytes a parameter.

    bf16 weights 2 and gradients 2, fp32 master copy, first and second moment 12. Source: EleutherAI,
    Transformer Math 101.
    """
    return BYTES_TRAINED * parameters / 1e9


def lora_gb(parameters: Quantity, trainable_parameters: Quantity) -> Quantity:
    """GB of a frozen bf16 base and its trained adapters."""
    return (BYTES_BF16 * parameters + BYTES_TRAINED * trainable_parameters) / 1e9


def qlora_gb(
    linear_parameters: Quantity, other_parameters: Quantity, trainable_parameters: Quantity
) -> Quantity:
    """GB of a base with 4.127-bit matrices and bf16 embeddings, and its trained adapters.

    NF4 with double quantisation: 4 bits and 0.127 bits of scales. Source: Dettmers et al., arXiv 2305.14314.
    """
    base = BITS_NF4 / 8 * linear_parameters + BYTES_BF16 * other_parameters
    return (base + BYTES_TRAINED * trainable_parameters) / 1e9


def activation_gb(
    tokens_in_batch: Quantity, hidden_size: Quantity, layers: Quantity, vocabulary_size: Quantity
) -> Quantity:
    """GB of activations with recomputation: each layer's input, one layer in full, and the logits.

    2 bytes a token, layer and hidden unit are kept; the layer being recomputed needs 34 with an attention
    kernel that keeps no score matrix. Source: Korthikanti et al., arXiv 2205.05198. The logits and their
    gradient are taken as fp32, 8 bytes a token and vocabulary entry; fused losses need less.
    """
    per_token = hidden_size * (2 * layers + LAYER_ACTIVATION_BYTES) + LOGIT_BYTES * vocabulary_size
    return tokens_in_batch * per_token / 1e9


def gpus_to_hold(needed_gb: Quantity, memory_gb: Quantity) -> Quantity:
    """GPUs that together hold this much; a tenth of each is left to kernels and fragments, our assumption."""
    return ceil(needed_gb / (USABLE_MEMORY * memory_gb))


def memory_class(
    needed_gb: Quantity, small_gb: Quantity, medium_gb: Quantity, large_gb: Quantity
) -> Quantity:
    """0, 1 or 2 for the smallest of three GPU sizes that holds it, 3 if none does."""
    return where(
        gpus_to_hold(needed_gb, small_gb) <= 1,
        0,
        where(
            gpus_to_hold(needed_gb, medium_gb) <= 1,
            1,
            where(gpus_to_hold(needed_gb, large_gb) <= 1, 2, 3),
        ),
    )


# Compute


def training_flops(
    parameters: Quantity, trainable_parameters: Quantity, tokens: Quantity, recompute: Quantity
) -> Quantity:
    """Floating-point operations to train on `tokens`; `parameters` counts base and adapters.

    Forward 2 and backward to the activations 2 a parameter and token, 2 more for each trained one: 6ND when
    all is trained, 4ND + 6PD for adapters of P. `recompute` 1 adds a second forward pass, 0 does not.
    Attention scores are left out. Source: Kaplan et al., arXiv 2001.08361, for the 2 and 4.
    """
    return tokens * ((4 + 2 * recompute) * parameters + 2 * trainable_parameters)


def model_flops_utilisation(reached_tflops: Quantity, peak_tflops: Quantity) -> Quantity:
    """Share of a GPU's peak that a run reached, 0 to 1."""
    return reached_tflops / peak_tflops


def training_tokens_per_second(
    flops_per_token: Quantity, peak_tflops: Quantity, model_flops_utilisation: Quantity, gpus: Quantity
) -> Quantity:
    """Tokens a second on GPUs of this peak (10^12 dense bf16 operations a second), used at this fraction.

    The price of a run at this speed is `ragvsft.costs.formulas.gpu_training_usd`.
    """
    return peak_tflops * 1e12 * model_flops_utilisation * gpus / flops_per_token


def training_hours(tokens: Quantity, tokens_per_second: Quantity) -> Quantity:
    """Hours to train on this many tokens."""
    return tokens / tokens_per_second / 3600


def usd_per_mtok_at_budget(budget_usd: Quantity, tokens: Quantity) -> Quantity:
    """USD per million tokens at which training on this many tokens costs the budget."""
    return budget_usd / tokens * 1e6


# Data


def labelling_hours(
    training_examples: Quantity, minutes_per_example: Quantity, reviewed_fraction: Quantity
) -> Quantity:
    """Person-hours to write the examples and to have a second person redo a fraction of them."""
    return training_examples * minutes_per_example * (1 + reviewed_fraction) / 60


def labelling_weeks(
    labelling_hours: Quantity, labellers: Quantity, hours_per_labeller_week: Quantity
) -> Quantity:
    """Weeks until the examples are ready when the labellers work in parallel."""
    return labelling_hours / (labellers * hours_per_labeller_week)


# Answers


def accuracy_when_found(recall: Quantity, found: Quantity, missed: Quantity) -> Quantity:
    """Share of right answers if the passage is found with this chance: all four are fractions, 0 to 1."""
    return recall * found + (1 - recall) * missed
