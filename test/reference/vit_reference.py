#!/usr/bin/env python3
"""A vision transformer in timm's naming, as a plain function over a dictionary of tensors, and its fixtures.

    vit_reference.py DIR [--check]    small models
    vit_reference.py DIR --base       DeiT-B at 224 pixels, plain and distilled: 350 MB, not for the repository

writes, or checks, `vit.pth` (a class token; the state_dict under "model", as DeiT publishes it), `distilled.safetensors` (a class and
a distillation token) and `expected.safetensors` with `pixel_values`, `vit` and `distilled`. Names and arithmetic: Dosovitskiy et al.
2021, timm's `vision_transformer.py` and `deit.py` (`forward_features`, then `forward_head(pre_logits=True)`), DeiT's `models.py`.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F

import safetensors_io

EPSILON = 1e-6


@dataclass(frozen=True)
class Sizes:
    width: int
    layers: int
    heads: int
    hidden: int
    patch: int
    size: int


TINY = Sizes(width=128, layers=2, heads=2, hidden=192, patch=8, size=32)
BASE = Sizes(width=768, layers=12, heads=12, hidden=3072, patch=16, size=224)


def random_vit(sizes, class_tokens, seed):
    """Weights rounded through float16, so that the half-precision files hold the same numbers."""
    width, hidden, patch = sizes.width, sizes.hidden, sizes.patch
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape, scale=0.5):
        return scale * torch.randn(*shape, generator=generator)

    def affine(name, *shape):
        return {f"{name}.weight": normal(*shape, scale=shape[-1] ** -0.5), f"{name}.bias": normal(shape[0], scale=0.1)}

    def norm(name):
        return {f"{name}.weight": 1 + normal(width, scale=0.1), f"{name}.bias": normal(width, scale=0.1)}

    weights = {"cls_token": normal(1, 1, width)}
    if class_tokens == 2:
        weights["dist_token"] = normal(1, 1, width)
    weights["pos_embed"] = normal(1, (sizes.size // patch) ** 2 + class_tokens, width)
    weights["patch_embed.proj.weight"] = normal(width, 3, patch, patch, scale=0.07 if sizes is TINY else (3 * patch**2) ** -0.5)
    weights["patch_embed.proj.bias"] = normal(width, scale=0.1)
    for layer in range(sizes.layers):
        block = f"blocks.{layer}"
        weights.update(norm(f"{block}.norm1"))
        weights.update(affine(f"{block}.attn.qkv", 3 * width, width))
        weights.update(affine(f"{block}.attn.proj", width, width))
        weights.update(norm(f"{block}.norm2"))
        weights.update(affine(f"{block}.mlp.fc1", hidden, width))
        weights.update(affine(f"{block}.mlp.fc2", width, hidden))
    weights.update(norm("norm"))
    weights.update(affine("head", 10, width))
    return {name: tensor.half() for name, tensor in weights.items()}


def encode(weights, pixels, sizes, dtype=torch.float64):
    """[B, 3, S, S] -> [B, W]: the class token after the last norm; of two, the mean."""
    w = {name: tensor.to(dtype) for name, tensor in weights.items()}
    width, heads = sizes.width, sizes.heads

    def linear(x, name):
        return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])

    def norm(x, name):
        return F.layer_norm(x, (width,), w[f"{name}.weight"], w[f"{name}.bias"], EPSILON)

    patches = F.conv2d(pixels.to(dtype), w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=sizes.patch)
    tokens = [w[name].expand(len(pixels), -1, -1) for name in ("cls_token", "dist_token") if name in w]
    x = torch.cat([*tokens, patches.flatten(2).transpose(1, 2)], dim=1) + w["pos_embed"]
    for layer in range(sizes.layers):
        block = f"blocks.{layer}"
        batch, length, _ = x.shape
        qkv = linear(norm(x, f"{block}.norm1"), f"{block}.attn.qkv")
        q, k, v = qkv.reshape(batch, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        attention = (q @ k.transpose(-2, -1) / (width // heads) ** 0.5).softmax(-1)
        mixed = (attention @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + linear(mixed, f"{block}.attn.proj")
        x = x + linear(F.gelu(linear(norm(x, f"{block}.norm2"), f"{block}.mlp.fc1")), f"{block}.mlp.fc2")
    return norm(x, "norm")[:, : len(tokens)].mean(dim=1)


def main():
    directory, check = Path(sys.argv[1]), "--check" in sys.argv
    sizes = BASE if "--base" in sys.argv else TINY
    pixels = torch.randn(5, 3, sizes.size, sizes.size, generator=torch.Generator().manual_seed(3))
    models = {"vit": random_vit(sizes, 1, 1), "distilled": random_vit(sizes, 2, 2)}
    expected = {name: encode(weights, pixels, sizes).float() for name, weights in models.items()}
    if check:
        stored = safetensors_io.load(directory / "expected.safetensors")
        worst = max((expected[name] - stored[name]).abs().max().item() for name in models)
        print(f"largest difference: {worst:.1e}")
        sys.exit(0 if worst <= 1e-6 else 1)
    directory.mkdir(parents=True, exist_ok=True)
    torch.save({"model": models["vit"], "epoch": 0}, directory / "vit.pth")
    safetensors_io.save(directory / "distilled.safetensors", models["distilled"])
    safetensors_io.save(directory / "expected.safetensors", {"pixel_values": pixels, **expected})


if __name__ == "__main__":
    main()
