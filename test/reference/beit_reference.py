#!/usr/bin/env python3
"""BEiT (Bao et al. 2022) as a plain function over a dictionary of tensors, and its fixtures.

    beit_reference.py DIR [--check]    small random models in four files, and what they make of `pixel_values`
    beit_reference.py DIR --base       BEiT-B at 224 pixels in two files: 350 MB, not for the repository

`tuned.pth` and `tuned_hf.safetensors` hold one fine-tuned model in timm's and in Hugging Face's names: a table of biases in each layer, and
the norm of the mean of the patches (`fc_norm`, `pooler.layernorm`). `pretrained.safetensors` and `pretrained_hf.safetensors` likewise hold one
pre-trained one: a table for all layers, the mask's token, and the mean of the normed patches (`norm`, `layernorm`). `expected.safetensors` has
the feature that belongs to each file. Names: timm's `beit.py`, the authors' `modeling_finetune.py`, transformers' `modeling_beit.py`.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Dict

import torch
import torch.nn.functional as F

import safetensors_io

Weights = Dict[str, torch.Tensor]
EPSILON = {"timm": 1e-6, "hf": 1e-12}


@dataclass(frozen=True)
class Sizes:
    width: int
    layers: int
    heads: int
    hidden: int
    patch: int
    grid: int


TUNED = Sizes(width=64, layers=2, heads=1, hidden=96, patch=8, grid=3)
PRETRAINED = Sizes(width=32, layers=3, heads=2, hidden=72, patch=4, grid=5)
BASE = Sizes(width=768, layers=12, heads=12, hidden=3072, patch=16, grid=14)


def relative_position_index(grid: int) -> torch.Tensor:
    """[1 + grid^2, 1 + grid^2]: which number of the table belongs to a query and a key."""
    y, x = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    down = y.flatten()[:, None] - y.flatten()[None] + grid - 1
    right = x.flatten()[:, None] - x.flatten()[None] + grid - 1
    span = 2 * grid - 1
    index = torch.empty(1 + grid * grid, 1 + grid * grid, dtype=torch.int64)
    index[1:, 1:] = span * down + right
    index[0, :], index[:, 0], index[0, 0] = span * span, span * span + 1, span * span + 2
    return index


def random_beit(sizes: Sizes, pretrained: bool, seed: int) -> Weights:
    """Under timm's names, rounded through float16, so that the half-precision files hold the same numbers."""
    generator = torch.Generator().manual_seed(seed)
    width = sizes.width

    def normal(*shape, scale, mean=0.0):
        return mean + scale * torch.randn(*shape, generator=generator)

    def affine(name, *shape):
        return {f"{name}.weight": normal(*shape, scale=shape[-1] ** -0.5), f"{name}.bias": normal(shape[0], scale=0.1)}

    def norm(name):
        return {f"{name}.weight": normal(width, scale=0.1, mean=1.0), f"{name}.bias": normal(width, scale=0.1)}

    def positions(name):
        table = normal((2 * sizes.grid - 1) ** 2 + 3, sizes.heads, scale=1.0)
        return {f"{name}.relative_position_bias_table": table, f"{name}.relative_position_index": relative_position_index(sizes.grid)}

    weights = {"cls_token": normal(1, 1, width, scale=0.5)}
    weights["patch_embed.proj.weight"] = normal(width, 3, sizes.patch, sizes.patch, scale=(3 * sizes.patch**2) ** -0.5)
    weights["patch_embed.proj.bias"] = normal(width, scale=0.1)
    if pretrained:
        weights["mask_token"] = normal(1, 1, width, scale=0.5)
        weights.update(positions("rel_pos_bias"))
    for layer in range(sizes.layers):
        block = f"blocks.{layer}"
        weights[f"{block}.gamma_1"] = normal(width, scale=0.2, mean=0.5)
        weights[f"{block}.gamma_2"] = normal(width, scale=0.2, mean=0.5)
        weights.update(norm(f"{block}.norm1"))
        weights[f"{block}.attn.q_bias"] = normal(width, scale=0.3)
        weights[f"{block}.attn.v_bias"] = normal(width, scale=0.3)
        weights[f"{block}.attn.qkv.weight"] = normal(3 * width, width, scale=width**-0.5)
        if not pretrained:
            weights.update(positions(f"{block}.attn"))
        weights.update(affine(f"{block}.attn.proj", width, width))
        weights.update(norm(f"{block}.norm2"))
        weights.update(affine(f"{block}.mlp.fc1", sizes.hidden, width))
        weights.update(affine(f"{block}.mlp.fc2", width, sizes.hidden))
    weights.update(norm("norm" if pretrained else "fc_norm"))
    weights.update(affine("lm_head" if pretrained else "head", 10, width))
    return {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}


def hugging_face(weights: Weights) -> Weights:
    """The same model under Hugging Face's names."""
    stem = {
        "cls_token": "beit.embeddings.cls_token",
        "mask_token": "beit.embeddings.mask_token",
        "patch_embed.proj": "beit.embeddings.patch_embeddings.projection",
        "rel_pos_bias": "beit.encoder.relative_position_bias",
        "fc_norm": "beit.pooler.layernorm",
        "norm": "layernorm",  # of BeitForMaskedImageModeling, beside `beit`
        "head": "classifier",
        "lm_head": "lm_head",
    }
    part = {
        "gamma_1": "lambda_1",
        "gamma_2": "lambda_2",
        "norm1": "layernorm_before",
        "norm2": "layernorm_after",
        "attn.q_bias": "attention.attention.query.bias",
        "attn.v_bias": "attention.attention.value.bias",
        "attn.relative_position_bias_table": "attention.attention.relative_position_bias.relative_position_bias_table",
        "attn.relative_position_index": "attention.attention.relative_position_bias.relative_position_index",
        "attn.proj": "attention.output.dense",
        "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense",
    }

    def renamed(name, table):
        owner, _, kind = name.rpartition(".")
        return table[name] if name in table else f"{table[owner]}.{kind}"

    result = {}
    for name, tensor in weights.items():
        if not name.startswith("blocks."):
            result[renamed(name, stem)] = tensor
            continue
        _, layer, rest = name.split(".", 2)
        block = f"beit.encoder.layer.{layer}"
        if rest == "attn.qkv.weight":
            for letter, third in zip(("query", "key", "value"), tensor.chunk(3)):
                result[f"{block}.attention.attention.{letter}.weight"] = third
        else:
            result[f"{block}.{renamed(rest, part)}"] = tensor
    return result


def encode(weights: Weights, pixels: torch.Tensor, sizes: Sizes, epsilon: float, dtype=torch.float64) -> torch.Tensor:
    """[B, 3, S, S] -> [B, W], from timm's names."""
    w = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    width, heads = sizes.width, sizes.heads
    index = relative_position_index(sizes.grid)

    def linear(x, name):
        return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])

    def norm(x, name):
        return F.layer_norm(x, (width,), w[f"{name}.weight"], w[f"{name}.bias"], epsilon)

    patches = F.conv2d(pixels.to(dtype), w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=sizes.patch)
    x = torch.cat([w["cls_token"].expand(len(pixels), -1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
    for layer in range(sizes.layers):
        block = f"blocks.{layer}"
        batch, length, _ = x.shape
        bias = torch.cat([w[f"{block}.attn.q_bias"], torch.zeros(width, dtype=dtype), w[f"{block}.attn.v_bias"]])
        qkv = F.linear(norm(x, f"{block}.norm1"), w[f"{block}.attn.qkv.weight"], bias)
        q, k, v = qkv.reshape(batch, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        owner = f"{block}.attn" if f"{block}.attn.relative_position_bias_table" in w else "rel_pos_bias"
        positions = w[f"{owner}.relative_position_bias_table"][index].permute(2, 0, 1)
        attention = (q @ k.transpose(-2, -1) / (width // heads) ** 0.5 + positions).softmax(-1)
        mixed = (attention @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + w[f"{block}.gamma_1"] * linear(mixed, f"{block}.attn.proj")
        x = x + w[f"{block}.gamma_2"] * linear(F.gelu(linear(norm(x, f"{block}.norm2"), f"{block}.mlp.fc1")), f"{block}.mlp.fc2")
    if "fc_norm.weight" in w:
        return norm(x[:, 1:].mean(dim=1), "fc_norm")
    return norm(x, "norm")[:, 1:].mean(dim=1)


def pictures(count: int, sizes: Sizes, seed: int) -> torch.Tensor:
    side = sizes.grid * sizes.patch
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


def write_base(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    pixels = pictures(4, BASE, 5)
    weights = random_beit(BASE, False, 6)
    torch.save({"model": weights}, directory / "base.pth")
    safetensors_io.save(directory / "base_hf.safetensors", hugging_face(weights))
    expected = {name: encode(weights, pixels, BASE, EPSILON[of]).float() for name, of in (("base", "timm"), ("base_hf", "hf"))}
    single = encode(weights, pixels, BASE, EPSILON["timm"], torch.float32)
    off = ((single - expected["base"]).norm(dim=1) / expected["base"].norm(dim=1)).max()
    print(f"PyTorch's own single precision is off by {off:.1e} of the feature's norm")
    safetensors_io.save(directory / "expected.safetensors", {"pixel_values": pixels, **expected})


def main() -> None:
    directory, check = Path(sys.argv[1]), "--check" in sys.argv
    if "--base" in sys.argv:
        write_base(directory)
        return
    models = {"tuned": (random_beit(TUNED, False, 1), TUNED), "pretrained": (random_beit(PRETRAINED, True, 2), PRETRAINED)}
    expected = {}
    for name, (weights, sizes) in models.items():
        pixels = pictures(3, sizes, 3)
        expected[f"{name}.pixel_values"] = pixels
        expected[name] = encode(weights, pixels, sizes, EPSILON["timm"]).float()
        expected[f"{name}_hf"] = encode(weights, pixels, sizes, EPSILON["hf"]).float()
    if check:
        stored = safetensors_io.load(directory / "expected.safetensors")
        worst = max((expected[name] - stored[name]).abs().max().item() for name in expected)
        print(f"largest difference: {worst:.1e}")
        sys.exit(0 if worst <= 1e-6 else 1)
    directory.mkdir(parents=True, exist_ok=True)
    torch.save({"model": models["tuned"][0], "epoch": 0}, directory / "tuned.pth")
    safetensors_io.save(directory / "pretrained.safetensors", models["pretrained"][0])
    for name, (weights, _) in models.items():
        safetensors_io.save(directory / f"{name}_hf.safetensors", hugging_face(weights))
    safetensors_io.save(directory / "expected.safetensors", expected)


if __name__ == "__main__":
    main()
