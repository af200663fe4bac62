#!/usr/bin/env python3
"""Regenerates the numeric fixtures from their inputs with the PyTorch reference, or checks that they still agree.

    make_fixtures.py model  DIR [--seed 0] [--hidden-act quick_gelu]   a new small random CLIP: config.json, model.safetensors
    make_fixtures.py towers DIR [--check]    expected.safetensors: what both towers make of its pixel_values and token_ids
    make_fixtures.py ptdpc  DIR [--check]    tensors.safetensors and the losses in cases.json: presets x modes

`towers` and `ptdpc` keep the inputs that are there, and draw new ones where there are none. Everything is computed in float64 and
stored in float32, so the fixtures carry no rounding but the last. `--check` writes nothing and fails beyond `TOLERANCE`.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Dict

import torch

import safetensors_io
from clip_reference import Clip
from ptdpc_reference import MODES, PRESETS, Preset, PtDpc, Vocabulary, train
from random_clip import random_weights, tiny_config

TOLERANCE = 1e-6  # float32 rounding of the largest stored numbers (logits up to 16) is at most 4.8e-7
STEPS = 8
IMAGES = 8
VOCABULARY = Vocabulary(sot=998, eot=999, template=(386, 579, 162, 5), classes=((77,), (228, 673), (696,)))

Tensors = Dict[str, torch.Tensor]


def make_model(directory: Path, seed: int, hidden_act: str) -> None:
    """A CLIP small enough to commit; weights rounded through float16, so that half-precision files of it hold the same numbers."""
    config = tiny_config(hidden_act)
    weights = {name: tensor.half().float() for name, tensor in random_weights(config, seed).items()}
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    safetensors_io.save(directory / "model.safetensors", weights)


def tower_inputs(clip: Clip) -> Tensors:
    """Six noise images, and seven texts from one word up to the full context; SOT and EOT are the two highest ids."""
    generator = torch.Generator().manual_seed(1)
    size, context = clip.config["vision_config"]["image_size"], clip.config["text_config"]["max_position_embeddings"]
    sot, eot = clip.token_embedding.shape[0] - 2, clip.token_embedding.shape[0] - 1
    lengths = (1, 3, 5, 8, 20, 50, context - 2)
    token_ids = torch.zeros(len(lengths), context, dtype=torch.int32)
    for row, length in enumerate(lengths):
        token_ids[row, 0], token_ids[row, length + 1] = sot, eot
        token_ids[row, 1 : length + 1] = torch.randint(sot, (length,), generator=generator, dtype=torch.int32)
    return {"pixel_values": torch.randn(6, 3, size, size, generator=generator), "token_ids": token_ids}


def make_towers(directory: Path, check: bool) -> None:
    clip = Clip.load(directory, torch.float64)
    path = directory / "expected.safetensors"
    old = safetensors_io.load(path) if path.exists() else tower_inputs(clip)
    inputs = {name: old[name] for name in ("pixel_values", "token_ids")}
    image = clip.encode_image(inputs["pixel_values"])
    text = clip.encode_text(inputs["token_ids"])
    outputs = {
        "image_pooled": image["pooled"],
        "image_features": image["features"],
        "text_features": text,
        "logits_per_image": clip.logits_per_image(image["features"], text),
    }
    store(path, inputs, outputs, old, check)


def describe(preset: Preset) -> Dict[str, object]:
    """The fields of a case that say what the preset is, in words that a test can be written from."""
    if preset.optimizer == "sgd":
        optimizer = f"sgd lr {preset.learning_rate} momentum 0.9"
    else:
        optimizer = f"adamw lr {preset.learning_rate} beta 0.9 0.999 eps 1e-8 weight decay {preset.weight_decay}"
    return {
        "learnSot": preset.learn_sot,
        "weight": "(1+cosine)/2" if preset.half_cosine else "cosine",
        "doubleSoftmax": preset.double_softmax,
        "optimizer": optimizer,
        "schedule": f"StepLR stepped once per update: size {preset.step_size} gamma {preset.gamma}",
    }


def make_ptdpc(directory: Path, check: bool) -> None:
    cases_path, path = directory / "cases.json", directory / "tensors.safetensors"
    cases = json.loads(cases_path.read_text()) if cases_path.exists() else {"model": "../clip-tiny", **asdict(VOCABULARY)}
    vocabulary = Vocabulary(cases["sot"], cases["eot"], cases["template"], cases["classes"])
    clip = Clip.load((directory / cases["model"]).resolve(), torch.float64)
    old = safetensors_io.load(path) if path.exists() else ptdpc_inputs(clip, len(vocabulary.classes))
    inputs = {name: old[name] for name in ("image_features", "labels")}
    outputs: Tensors = {}
    rows, losses = [], {}
    for preset_name, preset in PRESETS.items():
        for mode in MODES:
            name = f"{preset_name}.{mode}"
            run = train(PtDpc(clip, vocabulary, preset, mode), inputs["image_features"].double(), inputs["labels"], STEPS)
            outputs.update({f"{name}.init": run.init, f"{name}.logits": run.logits,
                            f"{name}.grad": run.grad, f"{name}.after{STEPS}": run.after})
            rows.append({"name": name, "preset": preset_name, "mode": mode, **describe(preset), "losses": run.losses})
            losses[name] = torch.tensor(run.losses, dtype=torch.float64)
    store(path, inputs, outputs, old, check)
    if check:
        compare(cases_path, losses, {row["name"]: torch.tensor(row["losses"], dtype=torch.float64) for row in cases["cases"]})
    else:
        cases_path.write_text(json.dumps({**cases, "cases": rows}, indent=1) + "\n")


def ptdpc_inputs(clip: Clip, classes: int) -> Tensors:
    """Random image features, deliberately not of unit length, and labels that name every class."""
    generator = torch.Generator().manual_seed(2)
    return {
        "image_features": 1.2 * torch.randn(IMAGES, clip.token_embedding.shape[1], generator=generator),
        "labels": torch.arange(IMAGES, dtype=torch.int32) % classes,
    }


def store(path: Path, inputs: Tensors, outputs: Tensors, old: Tensors, check: bool) -> None:
    if check:
        compare(path, outputs, old)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    safetensors_io.save(path, {**inputs, **{name: tensor.float() for name, tensor in outputs.items()}})


def compare(path: Path, ours: Tensors, stored: Tensors) -> None:
    """Prints the largest absolute difference of each tensor; exits with 1 on one that is missing or beyond TOLERANCE."""
    failed = False
    for name, tensor in ours.items():
        if name not in stored or stored[name].shape != tensor.shape:
            print(f"{path}: {name} is missing or has another shape than {list(tensor.shape)}", file=sys.stderr)
            failed = True
            continue
        difference = (tensor - stored[name]).abs().max().item()
        # `not <=` so that NaN fails too.
        beyond = not difference <= TOLERANCE
        failed = failed or beyond
        print(f"{path.name} {name}: {difference:.1e}{' beyond tolerance' if beyond else ''}")
    if failed:
        sys.exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    model = commands.add_parser("model", help="a new small random CLIP")
    model.add_argument("--seed", type=int, default=0)
    model.add_argument("--hidden-act", choices=("quick_gelu", "gelu"), default="quick_gelu")
    towers = commands.add_parser("towers", help="expected.safetensors of a model directory")
    ptdpc = commands.add_parser("ptdpc", help="tensors.safetensors and cases.json")
    for command in (model, towers, ptdpc):
        command.add_argument("directory", type=Path, metavar="DIR")
    for command in (towers, ptdpc):
        command.add_argument("--check", action="store_true", help="compare with what is there, write nothing")
    options = parser.parse_args()
    if options.command == "model":
        make_model(options.directory, options.seed, options.hidden_act)
    elif options.command == "towers":
        make_towers(options.directory, options.check)
    else:
        make_ptdpc(options.directory, options.check)


if __name__ == "__main__":
    main()
