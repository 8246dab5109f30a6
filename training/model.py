"""A plain Llama in PyTorch: small, and laid out so that its weights go to llama.cpp unchanged."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from training.shape import CONTEXT, EPSILON, HEAD_WIDTH, HEADS, HIDDEN, LAYERS, ROPE_BASE, VOCABULARY, WIDTH


class Block(nn.Module):
    """Attention and a gated feed-forward layer, each after a root-mean-square norm."""

    def __init__(self) -> None:
        super().__init__()
        self.attn_norm = nn.Parameter(torch.ones(WIDTH))
        self.ffn_norm = nn.Parameter(torch.ones(WIDTH))
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.gate_up = nn.Linear(WIDTH, 2 * HIDDEN, bias=False)
        self.down = nn.Linear(HIDDEN, WIDTH, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Map (batch, time, width) to the same shape; `cos` and `sin` are (time, head width / 2)."""
        batch, time, _ = x.shape
        heads = self.qkv(_norm(x, self.attn_norm)).view(batch, time, 3, HEADS, HEAD_WIDTH)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(
            _rotate(query, cos, sin), _rotate(key, cos, sin), value, is_causal=True
        )
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, time, WIDTH))
        gate, up = self.gate_up(_norm(x, self.ffn_norm)).chunk(2, -1)
        gated: Tensor = self.down(functional.silu(gate) * up)
        return x + gated


class TinyLlama(nn.Module):
    """The language model: 853,120 parameters, input and output embedding shared."""

    cos: Tensor
    sin: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding(VOCABULARY, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.Parameter(torch.ones(WIDTH))
        for name, weight in self.named_parameters():
            if weight.ndim > 1:
                nn.init.normal_(weight, std=_initial_spread(name))
        frequencies = ROPE_BASE ** (-torch.arange(0, HEAD_WIDTH, 2) / HEAD_WIDTH)
        angles = torch.outer(torch.arange(float(CONTEXT)), frequencies)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, ids: Tensor) -> Tensor:
        """Map token ids (batch, time) to final states (batch, time, width)."""
        x = self.emb(ids)
        time = ids.shape[1]
        for block in self.blocks:
            x = block(x, self.cos[:time], self.sin[:time])
        return _norm(x, self.norm)

    def logits(self, states: Tensor) -> Tensor:
        """Map states (..., width) to scores over the vocabulary (..., vocabulary)."""
        return states @ self.emb.weight.T

    def save(self, path: Path, step: int) -> None:
        """Write the weights and the training step as an .npz file, which needs no PyTorch to read."""
        weights = {name: value.numpy() for name, value in self.state_dict().items()}
        np.savez(path, allow_pickle=False, info=json.dumps({"step": step}), **weights)

    def load(self, path: Path) -> None:
        """Read weights that `save` wrote."""
        with np.load(path) as stored:
            self.load_state_dict(
                {name: torch.tensor(stored[name]) for name in stored.files if name != "info"}
            )


def _norm(x: Tensor, weight: Tensor) -> Tensor:
    return functional.rms_norm(x, (WIDTH,), weight, EPSILON)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate neighbouring pairs by their position, the order llama.cpp expects of a Llama."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def _initial_spread(name: str) -> float:
    if "emb" in name:
        return 0.02
    return float(WIDTH**-0.5) * (0.5 if "out" in name or "down" in name else 1.0)
