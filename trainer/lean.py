"""The steps of a Llama-type model on a CPU, in as few and as cheap operations as they take.

A small model spends most of a step of Transformers outside of the products with its weights. Here
matrices that read the same are one, what is no product with them is in float32, and the products
of a row or two go around oneDNN, whose preparations take longer than they do.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakSet

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from torch.nn import functional

_TYPES = "llama", "mistral", "qwen2"
_ROPES = "default", "linear", "llama3", "yarn"  # the same for a text of any length
_DTYPES = torch.float32, torch.bfloat16
_GROUPS = (
    ("self_attn", ("q_proj", "k_proj", "v_proj")),
    ("self_attn", ("o_proj",)),
    ("mlp", ("gate_proj", "up_proj")),
    ("mlp", ("down_proj",)),
)

Pair = tuple[torch.Tensor, torch.Tensor]
Up = tuple[slice, slice, torch.Tensor]
LowRank = tuple[torch.Tensor, list[Up]]


def fits(model: Any) -> bool:
    """Whether a model is built of what is computed here."""
    config = model.config
    if config.model_type not in _TYPES or model.device.type != "cpu" or model.dtype not in _DTYPES:
        return False
    linear = [
        _bare(getattr(getattr(layer, owner), name))
        for layer in model.model.layers
        for owner, names in _GROUPS
        for name in names
    ]
    return (
        all(type(one) is torch.nn.Linear and one.weight.dtype == model.dtype for one in linear)
        and config.hidden_act == "silu"
        and config.rope_parameters.get("rope_type") in _ROPES
        and not getattr(config, "sliding_window", None)
    )


class Lean:
    """A Llama-type model with its matrices fused in place: its own layers use the same memory."""

    def __init__(self, model: Any) -> None:
        config, self.inner = model.config, model.model
        self.heads, self.kv_heads = config.num_attention_heads, config.num_key_value_heads
        self.eps, self.width = config.rms_norm_eps, self.inner.layers[0].self_attn.head_dim
        self.layers = [_Layer(layer) for layer in self.inner.layers]
        self.norm = _doubled(self.inner.norm.weight)
        self.words, self.head = self.inner.embed_tokens.weight, model.lm_head.weight
        weights = [p for name, p in model.named_parameters() if "lora_" not in name]
        self.made_of = [(p, p._version, p.data_ptr()) for p in weights]
        self.shown: WeakSet[torch.nn.Module] = WeakSet()  # adapters that it computes as the model

    @property
    def current(self) -> bool:
        """Whether the model still has the weights that this was made of."""
        return all(p._version == v and p.data_ptr() == place for p, v, place in self.made_of)

    def count_adapted(self, adapter: str) -> int:
        """How many of the layers an adapter changes."""
        return sum(len(group.adapted(adapter)) for layer in self.layers for group in layer.groups)

    def read(
        self,
        ids: torch.Tensor,
        turns: Pair,
        caches: Sequence[Pair],
        at: int,
        added: Sequence[Sequence[Mapping[str, LowRank]]],
        spans: Mapping[str, slice],
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Read tokens (rows by length) into the caches from column `at`; what the head reads.

        `turns` are the cosines and sines of their places, `spans` which of them are with which
        adapter. Several tokens of a row can only be read into an empty cache.
        """
        (rows, length), heads, sight = ids.shape, self.heads, self.heads + self.kv_heads
        end, half, (cos, sin) = at + length, self.width // 2, turns
        x = functional.embedding(ids.flatten(), self.words).float()
        for layer, (keys, values), low in zip(self.layers, caches, added, strict=True):
            look, out, widen, narrow = layer.groups
            read = look(_normed(x, layer.before, self.eps), low[0], spans)
            read = read.view(rows, length, -1, self.width)
            seen = read[:, :, :sight]
            turned = torch.cat((seen[..., half:], seen[..., :half]), -1).mul_(sin)
            turned.addcmul_(seen, cos)
            keys[:, :, at:end] = turned[:, :, heads:].transpose(1, 2)
            values[:, :, at:end] = read[:, :, sight:].transpose(1, 2)
            asking = turned[:, :, :heads]
            if length == 1:  # heads that share keys ask them like so many tokens
                asking = asking.reshape(rows, self.kv_heads, -1, self.width)
            else:
                asking = asking.transpose(1, 2)
            attended = functional.scaled_dot_product_attention(
                asking,
                keys[:, :, :end],
                values[:, :, :end],
                mask,
                is_causal=length > 1,
                scale=layer.scaling,
                enable_gqa=length > 1,
            )
            if length > 1:
                attended = attended.transpose(1, 2)
            x = x + out(attended.reshape(len(x), -1), low[1], spans)
            gate, up = widen(_normed(x, layer.after, self.eps), low[2], spans).chunk(2, -1)
            x = x + narrow(functional.silu(gate).mul_(up), low[3], spans)
        last = x.view(rows, length, -1)[:, -1]
        return _normed(last, self.norm, self.eps).to(self.head.dtype)


class _Layer:
    def __init__(self, layer: Any) -> None:
        self.groups = [_Group(getattr(layer, owner), names) for owner, names in _GROUPS]
        self.before = _doubled(layer.input_layernorm.weight)
        self.after = _doubled(layer.post_attention_layernorm.weight)
        self.scaling = layer.self_attn.scaling


class _Group:
    """Linear layers that read the same, as one."""

    def __init__(self, owner: torch.nn.Module, names: Sequence[str]) -> None:
        self.owner, self.names = owner, names
        linear = [_bare(getattr(owner, name)) for name in names]
        self.sizes = [len(one.weight) for one in linear]
        self.weight = torch.cat([one.weight.data for one in linear])
        for one, piece in zip(linear, self.weight.split(self.sizes), strict=True):
            one.weight.data = piece
        biases = [
            one.weight.new_zeros(len(one.weight)) if one.bias is None else one.bias.data
            for one in linear
        ]
        self.bias = (
            torch.cat(biases).float() if any(one.bias is not None for one in linear) else None
        )

    def __call__(
        self, x: torch.Tensor, added: Mapping[str, LowRank], spans: Mapping[str, slice]
    ) -> torch.Tensor:
        out = functional.linear(x.to(self.weight.dtype), self.weight).float()
        if self.bias is not None:
            out += self.bias
        for name, span in spans.items():
            if name in added:
                down, ups = added[name]
                low, mine = x[span] @ down, out[span]
                for columns, ranks, up in ups:
                    mine[:, columns].addmm_(low[:, ranks], up)
        return out

    def adapted(self, name: str) -> list[Any]:
        """Those of the layers that an adapter changes."""
        layers = [getattr(self.owner, own) for own in self.names]
        return [one for one in layers if isinstance(one, BaseTunerLayer) and name in one.lora_A]

    def low_rank(self, name: str) -> LowRank | None:
        """What an adapter adds to them: one product down, one up for each (Hu et al. 2021)."""
        downs, ups, column, rank = list[torch.Tensor](), list[Up](), 0, 0
        for own, size in zip(self.names, self.sizes, strict=True):
            one = getattr(self.owner, own)
            if one in self.adapted(name):
                down, up = one.lora_A[name].weight.float(), one.lora_B[name].weight.float()
                downs.append(down)
                places = slice(column, column + size), slice(rank, rank + len(down))
                ups.append((*places, (up * one.scaling[name]).t().contiguous()))
                rank += len(down)
            column += size
        return (torch.cat(downs).t(), ups) if downs else None


def _bare(part: Any) -> Any:
    return part.base_layer if isinstance(part, BaseTunerLayer) else part


def _doubled(weight: torch.Tensor) -> torch.Tensor:
    return torch.cat((weight, weight)).float()


def _normed(x: torch.Tensor, weight: torch.Tensor, eps: float) -> torch.Tensor:
    """RMSNorm, as half of the LayerNorm of a vector with its negative: one operation, not six."""
    width = x.shape[-1]
    return functional.layer_norm(torch.cat((x, -x), -1), (2 * width,), weight, None, eps)[:, :width]
