#!/usr/bin/env python3
"""VPT and MaPLe on a CLIP as plain PyTorch programs, written from their papers, and their fixtures.

    image_prompt_reference.py test/fixtures/learners/images [--check]    tensors.safetensors, and the losses in cases.json

In float64, every text in full. Letters: B images, C classes, N learned tokens, T width of the text tower, V of the image tower. VPT: Jia et al., ECCV
2022; here with CLIP's texts. MaPLe: Khattak et al., CVPR 2023. A tower of more layers than the small CLIP has repeats its layers in turn.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Dict, List, Sequence

import torch
import torch.nn.functional as F

import safetensors_io
from clip_reference import Clip
from make_fixtures import compare, store

STEPS = 10
IMAGES = 5
STOP = 13
SOT, EOT = 998, 999
CLASSES = ((77,), (228, 673), (696,))
TEMPLATE = (386, 579, 162)
STAY = (579, 162)
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)

CASES = (
    {"name": "vpt.shallow", "learner": "vpt", "layers": 2, "depth": 1, "tokens": 3, "rate": 0.02},
    {"name": "vpt.deep", "learner": "vpt", "layers": 4, "depth": 3, "tokens": 2, "rate": 0.02},
    {"name": "vpt.all", "learner": "vpt", "layers": 4, "depth": 4, "tokens": 1, "rate": 0.02},
    {"name": "maple.shallow", "learner": "maple", "layers": 2, "depth": 1, "tokens": 3, "rate": 0.01},
    {"name": "maple.deep", "learner": "maple", "layers": 4, "depth": 2, "tokens": 2, "rate": 0.01},
)

Tensors = Dict[str, torch.Tensor]


class Prompted(Clip):
    """Rows `at` to `at + N` of a tower are new at the input of each layer that has tokens; of the first one they are put in by the caller."""

    def __init__(self, plain: Clip, layers: int):
        config = {**plain.config}
        weights = {name: tensor for name, tensor in plain.weights.items() if ".layers." not in name}
        for tower in ("text", "vision"):
            config[f"{tower}_config"] = {**config[f"{tower}_config"], "num_hidden_layers": layers}
            own = plain.config[f"{tower}_config"]["num_hidden_layers"]
            for layer in range(layers):
                prefix = f"{tower}_model.encoder.layers."
                for name, tensor in plain.weights.items():
                    if name.startswith(f"{prefix}{layer % own}."):
                        weights[f"{prefix}{layer}." + name[len(prefix) :].split(".", 1)[1]] = tensor
        super().__init__(config, weights, plain.dtype)
        self.tokens: Dict[str, Sequence[torch.Tensor]] = {}
        self.at: Dict[str, int] = {}

    def _blocks(self, x: torch.Tensor, tower_name: str, tower: dict, causal: bool) -> torch.Tensor:
        tokens = self.tokens.get(tower_name, ())
        for layer in range(tower["num_hidden_layers"]):
            if 0 < layer < len(tokens):
                x = self._with(x, tokens[layer], self.at[tower_name], replaced=True)
            name = f"{tower_name}.encoder.layers.{layer}"
            x = x + self._attention(self._layer_norm(x, f"{name}.layer_norm1", tower), f"{name}.self_attn", tower, causal)
            x = x + self._mlp(self._layer_norm(x, f"{name}.layer_norm2", tower), f"{name}.mlp", tower)
        return x

    @staticmethod
    def _with(x: torch.Tensor, tokens: torch.Tensor, at: int, replaced: bool) -> torch.Tensor:
        own = tokens.expand(x.shape[0], -1, -1)
        return torch.cat([x[:, :at], own, x[:, at + (own.shape[1] if replaced else 0) :]], dim=1)

    def image_features(self, pixels: torch.Tensor, tokens: Sequence[torch.Tensor], behind_class: bool) -> torch.Tensor:
        """[B, 3, S, S], tokens [N, V] of each layer -> normalised features [B, J]."""
        w, tower = self.weights, self.config["vision_config"]
        kernel = w["vision_model.embeddings.patch_embedding.weight"]
        patches = F.conv2d(pixels, kernel, stride=tower["patch_size"]).flatten(2).transpose(1, 2)
        cls = w["vision_model.embeddings.class_embedding"].expand(patches.shape[0], 1, -1)
        x = torch.cat([cls, patches], dim=1) + w["vision_model.embeddings.position_embedding.weight"]
        self.tokens["vision_model"], self.at["vision_model"] = tokens, 1 if behind_class else x.shape[1]
        x = self._with(x, tokens[0], self.at["vision_model"], replaced=False)
        x = self._blocks(self._layer_norm(x, "vision_model.pre_layrnorm", tower), "vision_model", tower, causal=False)
        pooled = self._layer_norm(x[:, 0], "vision_model.post_layernorm", tower)
        return F.normalize(pooled @ w["visual_projection.weight"].t(), dim=-1)

    def text_feature(self, ids: Sequence[int], tokens: Sequence[torch.Tensor]) -> torch.Tensor:
        """Ids whose rows from the second on are the tokens [N, T] of each layer, if there are any -> normalised feature [J]."""
        embedded = self.token_embedding[list(ids)][None]
        self.tokens["text_model"], self.at["text_model"] = tokens, 1
        if len(tokens) > 0:
            embedded = self._with(embedded, tokens[0], 1, replaced=True)
        return F.normalize(self.encode_embedded_text(embedded, torch.tensor([len(ids) - 1]))[0], dim=-1)


def shapes_of(case: Dict, clip: Clip) -> List[Sequence[int]]:
    text, vision = (clip.config[f"{tower}_config"]["hidden_size"] for tower in ("text", "vision"))
    depth, tokens = case["depth"], case["tokens"]
    if case["learner"] == "vpt":
        return [(tokens, vision)] * depth
    return [(tokens, text)] * depth + [(vision, text)] * depth + [(vision,)] * depth


def logits_of(clip: Prompted, case: Dict, parameters: Sequence[torch.Tensor], pixels: torch.Tensor) -> torch.Tensor:
    depth = case["depth"]
    if case["learner"] == "vpt":
        texts = [clip.text_feature([SOT, *TEMPLATE, *word, STOP, EOT], ()) for word in CLASSES]
        features = clip.image_features(pixels, parameters, behind_class=True)
    else:
        contexts, weights, biases = (parameters[i * depth : (i + 1) * depth] for i in range(3))
        ids = lambda word: [SOT, *[0] * case["tokens"], *STAY, *word, STOP, EOT]
        texts = [clip.text_feature(ids(word), contexts) for word in CLASSES]
        tokens = [F.linear(context, weight, bias) for context, weight, bias in zip(contexts, weights, biases)]
        features = clip.image_features(pixels, tokens, behind_class=False)
    return clip.logit_scale * features @ torch.stack(texts).T


def learning_rate(case: Dict, step: int) -> float:
    """A warm-up epoch and the cosine after it, an epoch per step."""
    return 1e-5 if step == 0 else case["rate"] * (1 + math.cos(math.pi * (step - 1) / STEPS)) / 2


def flat(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def inputs_of(clip: Clip) -> Tensors:
    """Random bytes as pixels, labels of every class, and what each case starts with."""
    generator = torch.Generator().manual_seed(11)
    side = clip.config["vision_config"]["image_size"]
    inputs = {
        "pixels": torch.randint(0, 256, (IMAGES, side, side, 3), generator=generator, dtype=torch.int32),
        "labels": torch.arange(IMAGES, dtype=torch.int32) % len(CLASSES),
    }
    for case in CASES:
        start = [
            (0.05 if len(shape) == 2 and shape[0] <= 8 else 0.12) * torch.randn(*shape, generator=generator)
            for shape in shapes_of(case, clip)
        ]
        inputs[f"{case['name']}.start"] = flat(start)
    return inputs


def run(plain: Clip, case: Dict, start: torch.Tensor, pixels: torch.Tensor, labels: torch.Tensor):
    clip = Prompted(plain, case["layers"])
    shapes = shapes_of(case, plain)
    sizes = [math.prod(shape) for shape in shapes]
    parameters = [part.reshape(shape).double().requires_grad_() for part, shape in zip(start.split(sizes), shapes)]
    optimizer = torch.optim.SGD(parameters, lr=1.0, momentum=0.9, weight_decay=5e-4)
    outputs, losses = {}, []
    for step in range(STEPS):
        logits = logits_of(clip, case, parameters, pixels)
        loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            outputs = {"logits": logits.detach(), "grad": flat([parameter.grad for parameter in parameters])}
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(case, step)
        optimizer.step()
    return outputs, losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    directory: Path = options.directory
    clip = Clip.load(directory.parent.parent / "clip-tiny", torch.float64)
    path, cases_path = directory / "tensors.safetensors", directory / "cases.json"
    old = safetensors_io.load(path) if path.exists() else inputs_of(clip)
    inputs = {name: tensor for name, tensor in old.items() if name in ("pixels", "labels") or name.endswith(".start")}
    mean, std = (torch.tensor(values, dtype=torch.float64) for values in (MEAN, STD))
    pixels = ((inputs["pixels"].double() / 255 - mean) / std).permute(0, 3, 1, 2)
    outputs, rows = {}, []
    for case in CASES:
        found, losses = run(clip, case, inputs[f"{case['name']}.start"], pixels, inputs["labels"].long())
        outputs.update({f"{case['name']}.{name}": tensor for name, tensor in found.items()})
        rows.append({**case, "losses": losses})
    store(path, inputs, outputs, old, options.check)
    as_tensors = lambda rows: {row["name"]: torch.tensor(row["losses"], dtype=torch.float64) for row in rows}
    if options.check:
        compare(cases_path, as_tensors(rows), as_tensors(json.loads(cases_path.read_text())["cases"]))
    else:
        text = {"sot": SOT, "eot": EOT, "stop": STOP, "template": TEMPLATE, "stay": STAY, "classes": CLASSES}
        cases_path.write_text(json.dumps({**text, "cases": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
