"""A frozen base under an adapter: held as memory allows, and computed without waste."""

from collections.abc import Sequence
from typing import Any, cast

import bitsandbytes as bnb
import psutil
import torch
from peft import PeftModel
from peft.tuners import lora
from peft.tuners.lora.bnb import Linear4bit
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from trainer.machine import room_to_unpack

PACKED = "packed"  # the attention of rows that hold several examples
ROWS = 32  # labels whose scores for all of the vocabulary are looked at together
_LIMITS = "sliding_window", "attention_chunk_size"  # how far back a model may look


def unpack_weights(model: PreTrainedModel, frozen_weights: str) -> bool:
    """Replace 4-bit weights by their values in 16 bits if asked to, or if memory allows it.

    The values stay those of the 4-bit weights, so an adapter fits both. `auto` unpacks what
    takes less than a third of the memory that is available.
    """
    layers = [m for m in model.modules() if isinstance(m, bnb.nn.modules.Linear4bit)]
    if not layers or frozen_weights == "4-bit":
        return False
    if frozen_weights == "auto":
        needed = 2 * sum(layer.in_features * layer.out_features for layer in layers)
        if model.device.type == "cuda":
            available, _ = torch.cuda.mem_get_info(model.device)
        else:
            available = psutil.virtual_memory().available
        if not room_to_unpack(needed, available):
            return False
    model.dequantize()
    model.requires_grad_(False)
    return True


def held_as(model: torch.nn.Module) -> str:
    """How the frozen weights are in memory: "4-bit", or in which precision."""
    if any(isinstance(module, bnb.nn.modules.Linear4bit) for module in model.modules()):
        return "4-bit"
    frozen = next(p for p in model.parameters() if not p.requires_grad)
    return str(frozen.dtype).removeprefix("torch.")


def quicken(model: PeftModel) -> None:
    """Let a model with LoRA compute the same in fewer and smaller steps.

    Rows of several examples attend to each example by itself instead of to all under a mask:
    a row of eight costs an eighth. LoRA is computed in the precision of the base, in one step
    with the layer below it. Layers and models that are out of the ordinary stay as they are.
    """
    for layer in model.modules():
        if type(layer) in (lora.Linear, Linear4bit):
            layer.__class__ = _QuickLinear if type(layer) is lora.Linear else _QuickLinear4bit
    base = model.get_base_model()
    if base.config._attn_implementation == "sdpa" and base._supports_attention_backend:
        AttentionInterface.register(PACKED, _attend)
        AttentionMaskInterface.register(PACKED, sdpa_mask)
        base.set_attn_implementation(PACKED)


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    lengths: Sequence[int] | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each example of a row, whose `lengths` come with the call of the model."""
    limits = [getattr(module.config, name, None) for name in _LIMITS]
    sight = min(filter(None, [kwargs.get("sliding_window"), *limits]), default=None)
    if lengths is None or (sight and sight < max(lengths)):
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    # On a CPU the backward pass of attention takes three times as long in bfloat16 as in float32.
    dtype = torch.float32 if query.device.type == "cpu" else query.dtype
    states = (states.to(dtype).split(list(lengths), dim=2) for states in (query, key, value))
    attended = [
        sdpa_attention_forward(module, *example, None, **kwargs)[0]
        for example in zip(*states, strict=True)
    ]
    return torch.cat(attended, dim=1).to(query.dtype), None


class _Quick:
    """Compute a frozen linear layer and one plain LoRA on it in one step."""

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        layer = cast(lora.Linear, self)
        active = layer.active_adapters
        name = active[0] if len(active) == 1 else ""
        if (
            args
            or kwargs
            or layer.disable_adapters
            or layer.merged
            or name not in layer.lora_A
            or name in layer.lora_variant
            or layer.lora_bias[name]
            or layer.base_layer.weight.requires_grad
            or (layer.base_layer.bias is not None and layer.base_layer.bias.requires_grad)
        ):
            return super().forward(x, *args, **kwargs)  # type: ignore[misc]
        return _LinearWithLora.apply(
            x,
            layer.lora_dropout[name](x),
            layer.base_layer,
            layer.lora_A[name].weight,
            layer.lora_B[name].weight,
            layer.scaling[name],
        )


class _QuickLinear(_Quick, lora.Linear): ...


class _QuickLinear4bit(_Quick, Linear4bit): ...


class _LinearWithLora(torch.autograd.Function):
    """`W x + b + scale B A d`, where d is x after dropout, and W and b are frozen.

    Kept for the backward pass are d and A d, and nothing the size of W or of the result.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        dropped: torch.Tensor,
        layer: torch.nn.Linear,
        down: torch.Tensor,
        up: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        weight = _dense(layer, x.dtype)
        rows = dropped.reshape(-1, dropped.shape[-1])
        low = rows @ down.to(x.dtype).T
        bias = None if layer.bias is None else layer.bias.to(x.dtype)
        out = functional.linear(x.reshape(rows.shape), weight, bias)
        out.addmm_(low, up.to(x.dtype).T, alpha=scale)
        ctx.layer, ctx.scale, ctx.shape, ctx.same = layer, scale, x.shape, dropped is x
        ctx.save_for_backward(rows, low, down, up)
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rows, low, down, up = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])
        grad_low = (grad @ up.to(grad.dtype)).mul_(ctx.scale)
        grad_up = (grad.T @ low).to(up.dtype).mul_(ctx.scale)
        grad_down = (grad_low.T @ rows).to(down.dtype)
        grad_x = grad_dropped = None
        if ctx.needs_input_grad[0]:
            grad_x = grad @ _dense(ctx.layer, grad.dtype)
            if ctx.same:
                grad_x.addmm_(grad_low, down.to(grad.dtype))
            else:
                grad_dropped = (grad_low @ down.to(grad.dtype)).view(ctx.shape)
            grad_x = grad_x.view(ctx.shape)
        return grad_x, grad_dropped, None, grad_down, grad_up, None


def _dense(layer: torch.nn.Linear, dtype: torch.dtype) -> torch.Tensor:
    """Return the weight of a layer as a matrix, unpacked for the moment if it is in 4 bits."""
    weight = layer.weight
    if isinstance(weight, bnb.nn.modules.Params4bit):
        weight = bnb.functional.dequantize_4bit(weight.data, weight.quant_state)
    return weight.to(dtype)


def answers_entropy(
    logits: torch.Tensor, targets: torch.Tensor, label_smoothing: float = 0.0
) -> torch.Tensor:
    """Mean cross-entropy in float32, as PyTorch's, of logits in any precision; -100 is ignored.

    The gradient is found along with the loss, some rows at a time, so that of all the float32
    matrices of labels by vocabulary that PyTorch goes through none is ever there as a whole.
    """
    return _Entropy.apply(logits, targets, label_smoothing)


class _Entropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, logits: torch.Tensor, targets: torch.Tensor, smoothing: float
    ) -> torch.Tensor:
        taught = (targets >= 0)[:, None]
        gradient = torch.empty_like(logits) if ctx.needs_input_grad[0] else None
        loss = logits.new_zeros((), dtype=torch.float32)
        for at in range(0, len(logits), ROWS):
            rows = slice(at, at + ROWS)
            scores, known, target = logits[rows].float(), taught[rows], targets[rows, None].clamp(0)
            picked, mean = scores.gather(1, target), scores.mean(1, keepdim=True)
            top = scores.amax(1, keepdim=True)
            chances = scores.sub_(top).exp_()
            total = chances.sum(1, keepdim=True)
            wanted = (1 - smoothing) * picked + smoothing * mean
            loss += ((total.log() + top - wanted) * known).sum()
            if gradient is not None:
                chances.div_(total).sub_(smoothing / scores.shape[1])
                chances.scatter_add_(1, target, scores.new_full(target.shape, smoothing - 1))
                gradient[rows] = chances.mul_(known / taught.sum())
        ctx.save_for_backward(gradient)
        return loss / taught.sum()

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad.to(gradient.dtype), None, None
