"""Checks the demonstration model: zero-shot, what its frozen features permit, and prompt tuning (PT-DPC) in PyTorch.

    python3 test/reference/evaluate_demo_model.py --model assets/demo-model --per-class 25 --batch 16 --seeds 0 1 2

Each seed is another set of labelled scenes (`demoScenes`) with its own training and test split. Prompt tuning is
written out plainly here, from the equations of the paper; it shares nothing with the engine that it checks.
"""
import argparse
import os
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from demo_clip import load_model, normalise_pixels  # noqa: E402
from demo_vocabulary import Tokenizer  # noqa: E402
from train_demo_model import render  # noqa: E402

EMOTIONS = ["amusement", "anger", "awe", "contentment", "disgust", "excitement", "fear", "sadness"]

PRESETS = {
    "paper": {"template": "a photo seems to express a feeling of", "shifted": False, "learn_start": False,
              "double_softmax": False, "optimiser": "sgd", "lr": 0.1, "decay": 0.0, "step": 3, "gamma": 0.9, "epochs": 10},
    "official": {"template": "a photo of", "shifted": True, "learn_start": True,
                 "double_softmax": True, "optimiser": "adamw", "lr": 0.01, "decay": 0.01, "step": 6, "gamma": 0.1,
                 "epochs": 25},
}


class PromptTuning:
    """Logits of images for classes through prompts [class or 1, row, width]; `mode` is both, cs, is or none."""

    def __init__(self, model, tokenizer, preset, mode):
        self.model, self.preset, self.mode = model, preset, mode
        embed = lambda ids: model.text_model.embeddings["token_embedding"](torch.tensor(ids)).detach()
        self.start = embed([tokenizer.start])
        words = [tokenizer.encode(name) for name in EMOTIONS]
        longest = max(map(len, words))
        self.suffix = torch.stack([embed(word + [tokenizer.end] * (longest + 1 - len(word))) for word in words])
        rows = embed(([tokenizer.start] if preset["learn_start"] else []) + tokenizer.encode(preset["template"]))
        self.end = torch.tensor([len(word) for word in words]) + len(rows) + (0 if preset["learn_start"] else 1)
        count = len(EMOTIONS) if mode in ("both", "cs") else 1
        self.prompts = rows.expand(count, *rows.shape).clone().requires_grad_()

    def composed(self, features):
        """Prompts for each image and class [image, class, row, width]."""
        classes = len(EMOTIONS)
        if self.mode in ("cs", "none"):
            return self.prompts.expand(classes, *self.prompts.shape[1:]).expand(len(features), classes, -1, -1)
        weight = torch.einsum("bd,ijd->bij", features, F.normalize(self.prompts, dim=-1))
        if self.preset["shifted"]:
            weight = (weight + 1) / 2
        mixed = torch.einsum("bij,ijd->bjd", weight, self.prompts)
        return mixed[:, None].expand(-1, classes, -1, -1)

    def logits(self, features):
        prompts = self.composed(features)
        batch, classes = prompts.shape[:2]
        parts = [prompts, self.suffix.expand(batch, -1, -1, -1)]
        if not self.preset["learn_start"]:
            parts.insert(0, self.start.expand(batch, classes, 1, -1))
        sequence = torch.cat(parts, 2).flatten(0, 1)
        text = self.model.embedded_text_features(sequence, self.end.repeat(batch)).view(batch, classes, -1)
        return self.model.logit_scale.exp() * torch.einsum("bd,bcd->bc", features, text)

    def tune(self, features, labels, batch, seed):
        random, preset = np.random.default_rng(seed), self.preset
        if preset["optimiser"] == "sgd":
            optimiser = torch.optim.SGD([self.prompts], preset["lr"], momentum=0.9)
        else:
            optimiser = torch.optim.AdamW([self.prompts], preset["lr"], weight_decay=preset["decay"])
        schedule = torch.optim.lr_scheduler.StepLR(optimiser, preset["step"], preset["gamma"])
        for _ in range(preset["epochs"]):
            for rows in np.array_split(random.permutation(len(features)), -(-len(features) // batch)):
                logits = self.logits(features[rows])
                if preset["double_softmax"]:
                    logits = logits.softmax(-1)
                loss = F.cross_entropy(logits, labels[rows])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
            schedule.step()

    @torch.no_grad()
    def accuracy(self, features, labels):
        guesses = torch.cat([self.logits(part).argmax(-1) for part in features.split(64)])
        return 100 * (guesses == labels).float().mean().item()


@torch.no_grad()
def zero_shot(model, tokenizer, features, labels, template):
    """Ordinary CLIP classification with one text a class."""
    texts = []
    for name in EMOTIONS:
        ids = [tokenizer.start, *tokenizer.encode(f"{template} {name}"), tokenizer.end]
        texts.append(model.text_features(torch.tensor([ids]), torch.tensor([len(ids) - 1])))
    return 100 * ((features @ torch.cat(texts).T).argmax(-1) == labels).float().mean().item()


def probe(features, labels, test_features, test_labels):
    """Logistic regression on the frozen features; the best of several penalties, so an upper bound."""
    best = 0.0
    mean, scale = features.mean(0), features.std(0)
    x, test = (features - mean) / scale, (test_features - mean) / scale
    for penalty in (1e-3, 1e-2, 1e-1):
        layer = torch.nn.Linear(x.shape[1], len(EMOTIONS))
        optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=200, line_search_fn="strong_wolfe")

        def closure():
            optimiser.zero_grad()
            loss = F.cross_entropy(layer(x), labels) + penalty * layer.weight.square().sum()
            loss.backward()
            return loss

        optimiser.step(closure)
        best = max(best, 100 * (layer(test).argmax(-1) == test_labels).float().mean().item())
    return best


@torch.no_grad()
def encode(model, folder, split, seed, count):
    pictures, lines = render(os.path.join(folder, f"labelled-{count}"), split, seed, count)
    features = torch.cat([model.image_features(normalise_pixels(part)) for part in np.array_split(pictures, 8)])
    return features, torch.tensor([EMOTIONS.index(line["emotion"]) for line in lines])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--work", default="/tmp/demo-model")
    parser.add_argument("--per-class", type=int, default=25, help="training scenes of each emotion")
    parser.add_argument("--test-per-class", type=int, default=100)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, help="in place of the preset's")
    parser.add_argument("--epochs", type=int, help="in place of the preset's")
    parser.add_argument("--presets", nargs="+", default=["paper", "official"])
    parser.add_argument("--modes", nargs="+", default=["both"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, tokenizer = load_model(options.model), Tokenizer.load(options.model)
    model.requires_grad_(False)
    print("class tokens", {name: len(tokenizer.encode(name)) for name in EMOTIONS},
          f"logit scale {model.logit_scale.exp().item():.1f}")
    for seed in options.seeds:
        torch.manual_seed(seed)
        train = encode(model, options.work, "train", seed, options.per_class)
        test = encode(model, options.work, "test", seed, options.test_per_class)
        report = [f"zero-shot {zero_shot(model, tokenizer, *test, PRESETS[name]['template']):.1f} ({name} template)"
                  for name in options.presets]
        report.append(f"probe {probe(*train, *test):.1f}")
        for name in options.presets:
            for mode in options.modes:
                preset = dict(PRESETS[name])
                preset.update({key: value for key in ("lr", "epochs") if (value := getattr(options, key)) is not None})
                tuning, begun = PromptTuning(model, tokenizer, preset, mode), time.time()
                before = tuning.accuracy(*test)
                tuning.tune(*train, options.batch, seed)
                report.append(f"{name}.{mode} {before:.1f} -> {tuning.accuracy(*test):.1f} "
                              f"(train {tuning.accuracy(*train):.1f}, {time.time() - begun:.0f} s)")
        print(f"seed {seed}: " + "; ".join(report), flush=True)


if __name__ == "__main__":
    main()
