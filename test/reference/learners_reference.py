#!/usr/bin/env python3
"""CoOp, CoCoOp, KgCoOp and ProGrad as plain PyTorch programs, written from their papers, and their fixtures.

    learners_reference.py test/fixtures/learners [--check]    prompts.safetensors, and the losses in prompts.json

Every text is computed in full for every image, in float64; nothing is shared. Letters: B images, C classes, M learned tokens, D width,
J width of the joint space. CoOp: Zhou et al., IJCV 2022. CoCoOp: Zhou et al., CVPR 2022. KgCoOp: Yao, Zhang and Xu, CVPR 2023, with the
cosine of its published code. ProGrad: Zhu et al., ICCV 2023.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import torch
import torch.nn.functional as F

import safetensors_io
from clip_reference import Clip
from make_fixtures import compare, store

STEPS = 10
IMAGES = 7
STOP = 13
SOT, EOT = 998, 999
CLASSES = ((77,), (228, 673), (696,))
TEMPLATE = (386, 579, 162)
LEARNING_RATE = 0.05

CASES = (
    {"name": "coop.end", "learner": "coop", "tokens": 4, "place": "end"},
    {"name": "coop.middle", "learner": "coop", "tokens": 5, "place": "middle"},
    {"name": "coop.front", "learner": "coop", "tokens": 3, "place": "front"},
    {"name": "coop.specific", "learner": "coop", "tokens": 3, "place": "middle", "specific": True},
    {"name": "kgcoop", "learner": "kgcoop", "tokens": 4, "place": "end", "weight": 8.0},
    {"name": "cocoop", "learner": "cocoop", "tokens": 3, "place": "end", "hidden": 4},
    {"name": "prograd", "learner": "prograd", "tokens": 4, "place": "end", "lambda": 1.0, "temperature": 1.0},
    {"name": "prograd.soft", "learner": "prograd", "tokens": 3, "place": "front", "lambda": 0.7, "temperature": 2.0},
)

Tensors = Dict[str, torch.Tensor]


class Prompts:
    """`parameters[0]` is the context [1 or C, M, D]; of CoCoOp the other four are its network's."""

    def __init__(self, clip: Clip, case: Dict, start: Sequence[torch.Tensor]):
        self.clip, self.case = clip, case
        self.parameters = [tensor.double().requires_grad_() for tensor in start]
        texts = [self._encode(self._embed([SOT, *TEMPLATE, *word, STOP, EOT])) for word in CLASSES]
        self.anchors = torch.stack(texts).detach()

    def _embed(self, ids: Sequence[int]) -> torch.Tensor:
        return self.clip.token_embedding[list(ids)]

    def _encode(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows [N, D] without positions, EOT last -> normalised feature [J]."""
        feature = self.clip.encode_embedded_text(rows[None], torch.tensor([rows.shape[0] - 1]))
        return F.normalize(feature[0], dim=-1)

    def _text(self, context: torch.Tensor, word: Sequence[int]) -> torch.Tensor:
        """Learned tokens [M, D] before, around or after the class word."""
        before = {"end": context.shape[0], "middle": context.shape[0] // 2, "front": 0}[self.case["place"]]
        rows = [self._embed([SOT]), context[:before], self._embed(word), context[before:], self._embed([STOP, EOT])]
        return self._encode(torch.cat(rows))

    def texts(self, feature: Optional[torch.Tensor]) -> torch.Tensor:
        """Normalised text features [C, J], for an image [J] where they depend on it."""
        context = self.parameters[0]
        if self.case["learner"] == "cocoop":
            weight1, bias1, weight2, bias2 = self.parameters[1:]
            context = context + F.linear(F.relu(F.linear(feature, weight1, bias1)), weight2, bias2)
        sets = context.expand(len(CLASSES), -1, -1)
        return torch.stack([self._text(sets[c], word) for c, word in enumerate(CLASSES)])

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        return self.clip.logit_scale * torch.stack([self.texts(feature) @ feature for feature in features])

    def gradients(self, features: torch.Tensor, labels: torch.Tensor):
        """Logits, loss, and the gradient by which each parameter is updated."""
        logits = self.logits(features)
        loss = F.cross_entropy(logits, labels)
        if self.case["learner"] == "kgcoop":
            distance = 1 - (self.texts(None) * self.anchors).sum(dim=-1)
            loss = loss + self.case["weight"] * distance.mean()
        if self.case["learner"] != "prograd":
            return logits, loss, torch.autograd.grad(loss, self.parameters), None
        temperature = self.case["temperature"]
        teacher = self.clip.logit_scale * features @ self.anchors.T
        knowledge = F.kl_div(
            F.log_softmax(logits / temperature, dim=-1), F.softmax(teacher / temperature, dim=-1), reduction="batchmean"
        )
        (along,) = torch.autograd.grad(knowledge * temperature**2, self.parameters, retain_graph=True)
        (own,) = torch.autograd.grad(loss, self.parameters)
        unit = along / along.norm()
        inner = (own * unit).sum()
        turned = own - self.case["lambda"] * inner * unit if inner < 0 else own
        return logits, loss, [turned], bool(inner < 0)


def learning_rate(step: int) -> float:
    """A warm-up epoch and the cosine after it, an epoch per step."""
    return 1e-5 if step == 0 else LEARNING_RATE * (1 + math.cos(math.pi * (step - 1) / STEPS)) / 2


def inputs_of(clip: Clip) -> Tensors:
    """Random features, not of unit length, labels of every class, and what each case starts with."""
    generator = torch.Generator().manual_seed(7)
    width, joint = clip.token_embedding.shape[1], clip.token_embedding.shape[1]
    normal = lambda *shape: torch.randn(*shape, generator=generator)
    inputs = {"features": 1.3 * normal(IMAGES, joint), "labels": torch.arange(IMAGES, dtype=torch.int32) % len(CLASSES)}
    for case in CASES:
        sets = len(CLASSES) if case.get("specific") else 1
        start = [0.02 * normal(sets, case["tokens"], width)]
        if "hidden" in case:
            hidden = case["hidden"]
            start += [normal(hidden, joint) / 8, normal(hidden) / 8, normal(width, hidden) / 8, normal(width) / 8]
        inputs[f"{case['name']}.start"] = flat(start)
    return inputs


def flat(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def parts(case: Dict, start: torch.Tensor, width: int) -> List[torch.Tensor]:
    sets = len(CLASSES) if case.get("specific") else 1
    shapes = [(sets, case["tokens"], width)]
    if "hidden" in case:
        hidden = case["hidden"]
        shapes += [(hidden, width), (hidden,), (width, hidden), (width,)]
    sizes = [math.prod(shape) for shape in shapes]
    return [part.reshape(shape) for part, shape in zip(start.split(sizes), shapes)]


def run(clip: Clip, case: Dict, start: torch.Tensor, features: torch.Tensor, labels: torch.Tensor):
    prompts = Prompts(clip, case, parts(case, start, clip.token_embedding.shape[1]))
    optimizer = torch.optim.SGD(prompts.parameters, lr=1.0, momentum=0.9, weight_decay=5e-4)
    outputs, losses, turned = {}, [], 0
    for step in range(STEPS):
        logits, loss, gradients, turns = prompts.gradients(features, labels)
        turned += bool(turns)
        losses.append(loss.item())
        if step == 0:
            outputs = {"logits": logits.detach(), "grad": flat(gradients)}
        for parameter, gradient in zip(prompts.parameters, gradients):
            parameter.grad = gradient
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.step()
    outputs["after"] = flat(prompts.parameters)
    return outputs, losses, turned


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    directory: Path = options.directory
    clip = Clip.load(directory.parent / "clip-tiny", torch.float64)
    path, cases_path = directory / "prompts.safetensors", directory / "prompts.json"
    old = safetensors_io.load(path) if path.exists() else inputs_of(clip)
    inputs = {name: tensor for name, tensor in old.items() if name in ("features", "labels") or name.endswith(".start")}
    features = F.normalize(inputs["features"].double(), dim=-1)
    outputs, rows = {}, []
    for case in CASES:
        found, losses, turned = run(clip, case, inputs[f"{case['name']}.start"], features, inputs["labels"].long())
        outputs.update({f"{case['name']}.{name}": tensor for name, tensor in found.items()})
        rows.append({**case, **({"turned": turned} if case["learner"] == "prograd" else {}), "losses": losses})
    store(path, inputs, outputs, old, options.check)
    as_tensors = lambda rows: {row["name"]: torch.tensor(row["losses"], dtype=torch.float64) for row in rows}
    if options.check:
        compare(cases_path, as_tensors(rows), as_tensors(json.loads(cases_path.read_text())["cases"]))
    else:
        text = {"sot": SOT, "eot": EOT, "stop": STOP, "template": TEMPLATE, "classes": CLASSES}
        cases_path.write_text(json.dumps({**text, "learningRate": LEARNING_RATE, "cases": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
