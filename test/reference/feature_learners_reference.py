#!/usr/bin/env python3
"""The learners on CLIP's features as plain PyTorch programs in float64, written from their papers, and their fixtures.

    feature_learners_reference.py DIR [--check]    tensors.safetensors and cases.json, or a check that they still agree

Letters: f image features [B, D], T text features [C, D], both of the tiny CLIP in ../clip-tiny. Images are drawn noise, moved towards their
class's text, so that there is something to learn. Batches and initial weights come from the same random numbers as in src/ (mulberry32),
so that a whole training can be compared, not a step alone.
"""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Callable, Dict, List, Tuple

import torch
import torch.nn.functional as F

import safetensors_io
from clip_reference import Clip

TOLERANCE = 2e-6
COUNTS, VALIDATION = (5, 4, 3), (2, 4, 3)
WORDS = ((77,), (228, 673), (696,))
TEMPLATE = (386, 579, 162, 5)

Tensors = Dict[str, torch.Tensor]


class Mulberry:
    """mulberry32: uniform in [0, 1)."""

    def __init__(self, seed: int):
        self.state = seed & 0xFFFFFFFF

    def __call__(self) -> float:
        self.state = (self.state + 0x6D2B79F5) & 0xFFFFFFFF
        t = (self.state ^ (self.state >> 15)) * (self.state | 1) & 0xFFFFFFFF
        t ^= (t + ((t ^ (t >> 7)) * (t | 61) & 0xFFFFFFFF)) & 0xFFFFFFFF
        return (t ^ (t >> 14)) / 2**32


def epoch_order(count: int, seed: int, epoch: int) -> List[int]:
    order = list(range(count))
    random = Mulberry((seed * 0x9E3779B1 & 0xFFFFFFFF) ^ ((epoch + 1) * 0x85EBCA6B & 0xFFFFFFFF))
    for i in range(count - 1, 0, -1):
        j = int(random() * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def inputs() -> Tensors:
    clip = Clip.load(Path(__file__).parent.parent / "fixtures" / "clip-tiny", torch.float64)
    generator = torch.Generator().manual_seed(7)
    size = clip.config["vision_config"]["image_size"]
    sequences = [(998, *TEMPLATE, *words, 999) for words in WORDS]
    context = clip.config["text_config"]["max_position_embeddings"]
    ids = torch.zeros(len(WORDS), context, dtype=torch.int32)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
    raw_texts = clip.encode_text(ids)
    texts = F.normalize(raw_texts, dim=1)
    made = {"raw_texts": raw_texts.float(), "scale": clip.logit_scale.reshape(1).float()}
    for name, counts in (("train", COUNTS), ("val", VALIDATION)):
        labels = torch.tensor([c for c, count in enumerate(counts) for _ in range(count)])
        pixels = torch.randn(len(labels), 3, size, size, generator=generator, dtype=torch.float64)
        noise = F.normalize(clip.encode_image(pixels)["features"], dim=1)
        noise = F.normalize(noise + 0.1 * torch.randn(noise.shape, generator=generator, dtype=torch.float64), dim=1)
        made[name] = F.normalize(noise + 0.1 * texts[labels], dim=1).float()
        made[f"{name}_labels"] = labels.float()
    return made


class Data:
    def __init__(self, given: Tensors):
        self.train, self.val, self.raw = (given[name].double() for name in ("train", "val", "raw_texts"))
        self.labels, self.val_labels = given["train_labels"].long(), given["val_labels"].long()
        self.texts = F.normalize(self.raw, dim=1)
        self.scale = given["scale"].double().item()
        self.classes, self.width = self.raw.shape


class Learner:
    """Learned tensors by name, the logits, and what is added to the cross-entropy."""

    learned: Tensors = {}

    def logits(self, f: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def penalty(self) -> torch.Tensor:
        return torch.zeros((), dtype=torch.float64)

    def loss(self, f: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self.logits(f), labels) + self.penalty()


class TipAdapter(Learner):
    """Zhang et al., 2022. With `learns`, Tip-Adapter-F: the keys are learned."""

    def __init__(self, data: Data, alpha: float, beta: float, learns: bool):
        self.data, self.alpha, self.beta = data, alpha, beta
        self.keys = data.train.clone().requires_grad_(learns)
        self.values = F.one_hot(data.labels, data.classes).double()
        self.learned = {"keys": self.keys} if learns else {}

    def logits(self, f):
        affinity = torch.exp(-self.beta * (1 - f @ self.keys.T))
        return self.alpha * affinity @ self.values + self.data.scale * f @ self.data.texts.T


class ClipAdapter(Learner):
    """Gao et al., 2021; the adapter on the image side."""

    def __init__(self, data: Data, ratio: float, seed: int, decay: float):
        self.data, self.ratio, self.decay = data, ratio, decay
        random, hidden = Mulberry(seed ^ 0x2545F491), data.width // 4
        draw = lambda rows, columns: torch.tensor(
            [(2 * random() - 1) / math.sqrt(columns) for _ in range(rows * columns)]
        ).float().double().reshape(rows, columns).requires_grad_()
        self.down = draw(hidden, data.width)
        self.up = draw(data.width, hidden)
        self.learned = {"down": self.down, "up": self.up}

    def logits(self, f):
        adapted = F.relu(F.relu(f @ self.down.T) @ self.up.T)
        blended = self.ratio * adapted + (1 - self.ratio) * f
        return self.data.scale * F.normalize(blended, dim=1) @ self.data.texts.T

    def penalty(self):
        return self.decay / 2 * ((self.down**2).sum() + (self.up**2).sum())


class TaskRes(Learner):
    """Yu et al., 2023."""

    def __init__(self, data: Data, alpha: float, decay: float):
        self.data, self.alpha, self.decay = data, alpha, decay
        self.residual = torch.zeros_like(data.raw).requires_grad_()
        self.learned = {"residual": self.residual}

    def logits(self, f):
        return self.data.scale * f @ F.normalize(self.data.raw + self.alpha * self.residual, dim=1).T

    def penalty(self):
        return self.decay / 2 * (self.residual**2).sum()


class Clap(Learner):
    """Silva-Rodriguez et al., 2024: multipliers from the zero-shot probabilities of the training images."""

    def __init__(self, data: Data):
        self.data = data
        self.weight = data.raw.clone().requires_grad_()
        self.learned = {"weight": self.weight}
        probability = F.softmax(data.scale * data.train @ data.texts.T, dim=1)
        self.multipliers = torch.stack([probability[data.labels == c, c].mean() for c in range(data.classes)])

    def logits(self, f):
        return self.data.scale * f @ F.normalize(self.weight, dim=1).T

    def penalty(self):
        return (self.multipliers * ((self.weight - self.data.raw) ** 2).sum(1)).mean()


class LpPlusPlus(Learner):
    """Huang et al., 2024."""

    def __init__(self, data: Data):
        self.data = data
        by_class = [data.train[data.labels == c] for c in range(data.classes)]
        self.weight = torch.stack([rows.sum(0) for rows in by_class]).requires_grad_()
        own = torch.stack([(rows @ data.texts[c]).mean() for c, rows in enumerate(by_class)])
        self.alpha = torch.full((data.classes,), 250 * own.mean().item(), dtype=torch.float64).requires_grad_()
        self.learned = {"weight": self.weight, "alpha": self.alpha}
        count = len(data.labels)
        self.weight_step = 4 * count / torch.linalg.eigvalsh(data.train.T @ data.train).max().item()
        self.alpha_step = count / (4 * ((data.train @ data.texts.T) ** 2).sum(0).max().item())

    def logits(self, f):
        return f @ (self.weight + self.alpha[:, None] * self.data.texts).T


class LinearProbe(Learner):
    """Logistic regression; the bias is not penalised."""

    def __init__(self, data: Data, c: float):
        self.data, self.c = data, c
        self.weight = torch.zeros_like(data.raw).requires_grad_()
        self.bias = torch.zeros(data.classes, dtype=torch.float64).requires_grad_()
        self.learned = {"weight": self.weight, "bias": self.bias}

    def logits(self, f):
        return f @ self.weight.T + self.bias

    def penalty(self):
        return (self.weight**2).sum() / (2 * self.c * len(self.data.labels))


def zero_grad(learner: Learner) -> None:
    for tensor in learner.learned.values():
        tensor.grad = None


def by_batches(learner: Learner, data: Data, options: dict, optimizer, rate: Callable[[int, int, int], float]) -> List[float]:
    """`rate` of epoch, step and number of steps."""
    losses, count = [], len(data.labels)
    steps = options["epochs"] * math.ceil(count / options["batchSize"])
    for epoch in range(options["epochs"]):
        order = epoch_order(count, options["seed"], epoch)
        for at in range(0, count, options["batchSize"]):
            batch = order[at : at + options["batchSize"]]
            for group in optimizer.param_groups:
                group["lr"] = rate(epoch, len(losses), steps)
            zero_grad(learner)
            loss = learner.loss(data.train[batch], data.labels[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def warm_cosine(base: float, epochs: int) -> Callable[[int, int, int], float]:
    return lambda epoch, step, steps: 1e-5 if epoch == 0 else base * (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2


def accuracy(logits: torch.Tensor, labels: torch.Tensor) -> int:
    return int((logits.argmax(1) == labels).sum())


def fit_tip(data: Data, options: dict) -> Tuple[Learner, List[float]]:
    found, most = None, -1
    for beta in (0.1 + i * 6.9 / 200 for i in range(200)):
        for alpha in (0.1 + i * 2.9 / 20 for i in range(20)):
            learner = TipAdapter(data, alpha, beta, False)
            right = accuracy(learner.logits(data.val), data.val_labels)
            if right > most:
                found, most = learner, right
    return found, []


def fit_tip_f(data: Data, options: dict):
    learner = TipAdapter(data, options["alpha"], options["beta"], True)
    optimizer = torch.optim.AdamW([learner.keys], eps=1e-4, weight_decay=0.01)
    cosine = lambda epoch, step, steps: options["learningRate"] * (1 + math.cos(math.pi * step / steps)) / 2
    return learner, by_batches(learner, data, options, optimizer, cosine)


def fit_clip_adapter(data: Data, options: dict):
    learner = ClipAdapter(data, options["ratio"], options["seed"], options["weightDecay"])
    optimizer = torch.optim.SGD(learner.learned.values(), lr=1, momentum=0.9)
    return learner, by_batches(learner, data, options, optimizer, warm_cosine(options["learningRate"], options["epochs"]))


def fit_taskres(data: Data, options: dict):
    learner = TaskRes(data, options["alpha"], options["weightDecay"])
    optimizer = torch.optim.Adam(learner.learned.values())
    return learner, by_batches(learner, data, options, optimizer, warm_cosine(options["learningRate"], options["epochs"]))


def fit_clap(data: Data, options: dict):
    learner = Clap(data)
    optimizer = torch.optim.SGD(learner.learned.values(), lr=1, momentum=0.9)
    return learner, by_batches(learner, data, options, optimizer, warm_cosine(options["learningRate"], options["epochs"]))


def fit_lp_plus_plus(data: Data, options: dict):
    learner, losses = LpPlusPlus(data), []
    optimizer = torch.optim.SGD([learner.weight], lr=learner.weight_step, momentum=0.9)
    for step in range(options["iterations"]):
        zero_grad(learner)
        loss = learner.loss(data.train, data.labels)
        loss.backward()
        optimizer.step()
        if (step + 1) % options["alphaEvery"] == 0:
            with torch.no_grad():
                learner.alpha -= learner.alpha_step * learner.alpha.grad
        losses.append(loss.item())
    return learner, losses


def fit_linear_probe(data: Data, options: dict):
    learner = LinearProbe(data, options["c"])
    optimizer = torch.optim.LBFGS(
        list(learner.learned.values()), max_iter=2000, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        zero_grad(learner)
        loss = learner.loss(data.train, data.labels)
        loss.backward()
        return loss

    optimizer.step(closure)
    return learner, []


BATCHES = {"epochs": 4, "batchSize": 5, "seed": 3}
# Name, options, whether validation images are there, what makes the learner at its start, and what fits it.
CASES = (
    ("linear-probe", {"c": 10, "iterations": 1000}, False, lambda d, o: LinearProbe(d, o["c"]), fit_linear_probe),
    ("tip-adapter", {"alpha": "auto", "beta": "auto"}, True, lambda d, o: TipAdapter(d, 1.17, 1, False), fit_tip),
    ("tip-adapter-f", {"alpha": 2, "beta": 3, "learningRate": 0.01, **BATCHES}, False, lambda d, o: TipAdapter(d, 2, 3, True), fit_tip_f),
    (
        "clip-adapter",
        {"ratio": 0.3, "learningRate": 0.02, "weightDecay": 0.01, **BATCHES},
        False,
        lambda d, o: ClipAdapter(d, 0.3, 3, 0.01),
        fit_clip_adapter,
    ),
    (
        "taskres",
        {"alpha": 0.5, "learningRate": 0.02, "weightDecay": 0.01, **BATCHES},
        False,
        lambda d, o: TaskRes(d, 0.5, 0.01),
        fit_taskres,
    ),
    ("lp++", {"iterations": 12, "alphaEvery": 5}, False, lambda d, o: LpPlusPlus(d), fit_lp_plus_plus),
    ("clap", {"learningRate": 0.02, **BATCHES}, False, lambda d, o: Clap(d), fit_clap),
)


def run(given: Tensors) -> Tuple[Tensors, List[dict]]:
    data, outputs, cases = Data(given), {}, []
    for name, options, validates, begin, fit in CASES:
        start = begin(data, options)
        outputs[f"{name}.logits"] = start.logits(data.train)
        if start.learned:
            start.loss(data.train, data.labels).backward()
        for tensor, value in start.learned.items():
            outputs[f"{name}.grad.{tensor}"] = value.grad
        learner, losses = fit(data, options)
        for tensor, value in learner.learned.items():
            outputs[f"{name}.fitted.{tensor}"] = value
        outputs[f"{name}.fitted"] = learner.logits(data.val)
        case = {"name": name, "options": options, "validates": validates, "losses": losses}
        if name == "tip-adapter":
            case["chosen"] = {"alpha": learner.alpha, "beta": learner.beta}
        if name == "lp++":
            case["steps"] = {"weight": learner.weight_step, "alpha": learner.alpha_step}
        cases.append(case)
    return outputs, cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    tensors_path, cases_path = arguments.directory / "tensors.safetensors", arguments.directory / "cases.json"
    old = safetensors_io.load(tensors_path) if tensors_path.exists() else inputs()
    given = {name: value for name, value in old.items() if "." not in name}
    outputs, cases = run(given)
    if not arguments.check:
        arguments.directory.mkdir(parents=True, exist_ok=True)
        safetensors_io.save(tensors_path, {**given, **{name: value.detach().float() for name, value in outputs.items()}})
        cases_path.write_text(json.dumps({"cases": cases}, indent=1) + "\n")
        return
    worst = max((outputs[name].detach() - old[name].double()).abs().max().item() for name in outputs)
    for one, other in zip(cases, json.loads(cases_path.read_text())["cases"]):
        worst = max([worst, *(abs(a - b) for a, b in zip(one["losses"], other["losses"]))])
    print(f"largest difference {worst:.2g}")
    if worst > TOLERANCE:
        sys.exit(f"the fixtures differ by more than {TOLERANCE}")


if __name__ == "__main__":
    main()
