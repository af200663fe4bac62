"""Converts random CLIPs of real size from every format and type, and checks the tensors bit for bit.

    npm run build
    python3 test/reference/checkpoint_formats.py --arch ViT-B/32

For each type (fp32, fp16, bf16) and format, the model is written with PyTorch, converted by `ptdpc convert` in a process of its
own, and the tensors compared with those that were written, widened to float32. Prints a row of a Markdown table each: seconds
and the most memory that the process had resident. Files are deleted as soon as they were read; at most three copies of the
model lie in --scratch at once.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import torch

import random_clip
import safetensors_io
from clip_reference import Weights

ROOT = Path(__file__).resolve().parent.parent.parent
ARCHITECTURES: Dict[str, Callable[[], dict]] = {
    "tiny": random_clip.tiny_config,
    "ViT-B/32": random_clip.vit_b32_config,
    "ViT-B/16": random_clip.vit_b16_config,
    "ViT-L/14": random_clip.vit_l14_config,
}
DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def openai_names(weights: Weights) -> Weights:
    """The tensors under OpenAI's names, which OpenCLIP shares: query, key and value stacked, projections transposed."""
    block = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    stem = {
        "vision_model.embeddings.class_embedding": "visual.class_embedding",
        "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
        "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
        "vision_model.pre_layrnorm": "visual.ln_pre",
        "vision_model.post_layernorm": "visual.ln_post",
        "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
        "text_model.embeddings.position_embedding.weight": "positional_embedding",
        "text_model.final_layer_norm": "ln_final",
        "logit_scale": "logit_scale",
    }
    renamed: Weights = {}
    for name, tensor in weights.items():
        base, _, kind = name.rpartition(".")
        if name in stem:
            renamed[stem[name]] = tensor
        elif base in stem:
            renamed[f"{stem[base]}.{kind}"] = tensor
        elif name == "visual_projection.weight":
            renamed["visual.proj"] = tensor.t().contiguous()
        elif name == "text_projection.weight":
            renamed["text_projection"] = tensor.t().contiguous()
        else:
            tower, _, rest = name.partition(".encoder.layers.")
            layer, _, part = rest.partition(".")
            prefix = f"{'visual.' if tower == 'vision_model' else ''}transformer.resblocks.{layer}"
            part, _, kind = part.rpartition(".")
            if part in block:
                renamed[f"{prefix}.{block[part]}.{kind}"] = tensor
            elif part == "self_attn.q_proj":
                stacked = [weights[name.replace("q_proj", f"{letter}_proj")] for letter in "qkv"]
                renamed[f"{prefix}.attn.in_proj_{kind}"] = torch.cat(stacked)
    return renamed


def as_openai_stores(weights: Weights, dtype: torch.dtype) -> Weights:
    """As `convert_weights` in clip/model.py does it: matrices and their biases, not norms, embeddings and the scale."""
    kept = ("norm", "layrnorm", "embedding", "logit_scale")
    return {name: tensor if any(k in name for k in kept) and "patch_embedding" not in name else tensor.to(dtype) for name, tensor in weights.items()}


class Node(torch.nn.Module):
    """A module that only holds its parameters and children, under any names."""


def module_tree(tensors: Weights, config: dict) -> torch.nn.Module:
    root = Node()
    for name, tensor in tensors.items():
        *path, last = name.split(".")
        at = root
        for part in path:
            if part not in at._modules:
                at.add_module(part, Node())
            at = at._modules[part]
        at.register_parameter(last, torch.nn.Parameter(tensor, requires_grad=False))
    sizes = {
        "input_resolution": config["vision_config"]["image_size"],
        "context_length": config["text_config"]["max_position_embeddings"],
        "vocab_size": config["text_config"]["vocab_size"],
    }
    for name, size in sizes.items():
        root.register_buffer(name, torch.tensor(size))
    return root


def write(layout: str, folder: Path, weights: Weights, config: dict) -> Path:
    """Writes the checkpoint; returns the path for `ptdpc convert`."""
    def with_config() -> Path:
        (folder / "config.json").write_text(json.dumps(config))
        return folder

    if layout == "safetensors":
        safetensors_io.save(folder / "model.safetensors", weights)
        return with_config()
    if layout == "safetensors, 4 shards":
        names = list(weights)
        weight_map = {}
        for i in range(4):
            part = names[i::4]
            file = f"model-{i + 1:05}-of-00004.safetensors"
            safetensors_io.save(folder / file, {name: weights[name] for name in part})
            weight_map.update({name: file for name in part})
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
        return with_config()
    if layout == "pytorch_model.bin":
        torch.save(weights, folder / "pytorch_model.bin")
        return with_config()
    if layout == "OpenAI state_dict":
        torch.save(openai_names(weights), folder / "model.pt")
        return folder / "model.pt"
    if layout == "OpenCLIP state_dict":
        text = ("token_embedding", "positional_embedding", "transformer.", "ln_final", "text_projection")
        named = {f"text.{name}" if name.startswith(text) else name: tensor for name, tensor in openai_names(weights).items()}
        torch.save({"epoch": 1, "state_dict": {f"module.{name}": tensor for name, tensor in named.items()}}, folder / "open_clip.pt")
        return folder / "open_clip.pt"
    torch.jit.script(module_tree(openai_names(weights), config)).save(str(folder / "openai.pt"))
    return folder / "openai.pt"


LAYOUTS = ["safetensors", "safetensors, 4 shards", "pytorch_model.bin", "OpenAI state_dict", "OpenAI TorchScript", "OpenCLIP state_dict"]


# Linux' own mark of the process after exec: that of getrusage would begin at this script's size.
REPORT_PEAK = """data:text/javascript,import { readFileSync } from 'node:fs'; process.on('exit', () =>
  console.error(/VmHWM:.*/.exec(readFileSync('/proc/self/status', 'utf8'))[0]));"""


def convert(source: Path, out: Path, options: List[str]) -> Tuple[float, int]:
    """Runs `ptdpc convert`; returns seconds and the peak of its resident memory in bytes."""
    command = ["node", "--import", REPORT_PEAK, str(ROOT / "dist/cli/main.js"), "convert", str(source), "--out", str(out), *options]
    started = time.monotonic()
    process = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    seconds = time.monotonic() - started
    if process.returncode != 0:
        sys.exit(f"{source}: {process.stderr}")
    return seconds, int(re.search(r"VmHWM:\s*(\d+) kB", process.stderr).group(1)) * 1024


def compare(out: Path, weights: Weights) -> None:
    found = safetensors_io.load(out / "model.safetensors")
    if found.keys() != weights.keys():
        sys.exit(f"{out}: other tensors than were written: {found.keys() ^ weights.keys()}")
    for name, tensor in weights.items():
        # Bit patterns: NaN and -0 count too.
        if not torch.equal(found[name].view(torch.int32), tensor.float().contiguous().view(torch.int32)):
            sys.exit(f"{out}: {name} differs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arch", choices=ARCHITECTURES, default="tiny")
    parser.add_argument("--dtype", choices=DTYPES, action="append", help="all unless given")
    parser.add_argument("--format", choices=LAYOUTS, action="append", help="all unless given")
    parser.add_argument("--scratch", help="folder for the files (default: the system's temporary one)")
    arguments = parser.parse_args()
    config = ARCHITECTURES[arguments.arch]()
    original = random_clip.random_weights(config, seed=0)
    for dtype in arguments.dtype or DTYPES:
        for layout in arguments.format or LAYOUTS:
            with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
                is_archive = layout == "OpenAI TorchScript"
                stored = as_openai_stores(original, DTYPES[dtype]) if is_archive else {n: t.to(DTYPES[dtype]) for n, t in original.items()}
                folder, out = Path(scratch) / "in", Path(scratch) / "out"
                folder.mkdir()
                source = write(layout, folder, stored, config)
                size = sum(file.stat().st_size for file in folder.iterdir())
                options = ["--activation", "quick_gelu"] if layout.endswith("state_dict") else []
                seconds, peak = convert(source, out, options)
                compare(out, stored)
                print(f"| {arguments.arch} | {dtype} | {layout} | {size / 1e6:.0f} | {seconds:.1f} | {peak / 2**20:.0f} |", flush=True)


if __name__ == "__main__":
    main()
