"""PT-DPC as a plain PyTorch program: compose prompts, run the text tower on every (image, class) pair, cross-entropy.

Method: "Learning to Compose Diversified Prompts for Image Emotion Classification", Eq. 3 to 5. The two presets are the paper's
equations and the authors' published code, which differ; see `PRESETS`. Nothing is shared between classes or images and no
sequence is cut: the naive computation, by which the exact savings of `src/ptdpc` are judged.

Letters: B images, C classes, P prompt sets (C, or 1 where the mode shares one), L learned tokens, D width.
"""

from dataclasses import dataclass
from typing import List, Sequence

import torch
import torch.nn.functional as F

from clip_reference import Clip

MODES = ("both", "cs", "is", "none")


@dataclass(frozen=True)
class Preset:
    learn_sot: bool  # SOT's embedding is the first learned token, and is composed like the rest
    half_cosine: bool  # weight (1 + cos) / 2 instead of cos
    double_softmax: bool  # train on cross_entropy(softmax(logits)): the softmax is applied twice
    optimizer: str
    learning_rate: float
    weight_decay: float
    step_size: int
    gamma: float


PRESETS = {
    "paper": Preset(False, False, False, "sgd", 0.1, 0.0, 3, 0.9),
    "official": Preset(True, True, True, "adamw", 0.01, 0.01, 6, 0.1),
}


@dataclass(frozen=True)
class Vocabulary:
    sot: int
    eot: int
    template: Sequence[int]
    classes: Sequence[Sequence[int]]


class PtDpc:
    """Learnable prompts on top of a frozen CLIP. `self.prompts` is [P, L, D] and the only tensor with a gradient."""

    def __init__(self, clip: Clip, vocabulary: Vocabulary, preset: Preset, mode: str):
        if mode not in MODES:
            raise ValueError(f"mode is '{mode}', expected one of {', '.join(MODES)}")
        self.clip, self.vocabulary, self.preset = clip, vocabulary, preset
        self.class_specific = mode in ("both", "cs")
        self.instance_specific = mode in ("both", "is")
        self.sot_row = clip.token_embedding[[vocabulary.sot]]
        learned = [*([vocabulary.sot] if preset.learn_sot else []), *vocabulary.template]
        sets = len(vocabulary.classes) if self.class_specific else 1
        self.prompts = clip.token_embedding[learned].repeat(sets, 1, 1).requires_grad_()

    def compose(self, image_features: torch.Tensor) -> torch.Tensor:
        """[B, D] features -> [B, C, L, D]: the prompt that goes before class c for image b.

        `both`, `is`: the image-weighted sum over the sets (Eq. 3), the same for every class. `cs`: class c's own set. `none`: the one set.
        """
        batch, classes = image_features.shape[0], len(self.vocabulary.classes)
        if not self.instance_specific:
            return self.prompts.expand(batch, classes, -1, -1) if self.class_specific else self._share(self.prompts, batch)
        weight = F.cosine_similarity(image_features[:, None, None, :], self.prompts[None], dim=-1)
        if self.preset.half_cosine:
            weight = (1 + weight) / 2
        return self._share((weight[..., None] * self.prompts[None]).sum(dim=1), batch)

    def _share(self, prompt: torch.Tensor, batch: int) -> torch.Tensor:
        """[1 or B, L, D] -> [B, C, L, D], the same prompt before every class."""
        return prompt[:, None].expand(batch, len(self.vocabulary.classes), -1, -1)

    def logits(self, image_features: torch.Tensor) -> torch.Tensor:
        """[B, D] features (any length: they are normalised here) -> [B, C] plain logits, in both presets."""
        composed = self.compose(image_features)
        batch = composed.shape[0]
        image = F.normalize(image_features, dim=-1)
        columns = []
        for index, word in enumerate(self.vocabulary.classes):
            suffix = self.clip.token_embedding[[*word, self.vocabulary.eot]].expand(batch, -1, -1)
            rows = [composed[:, index], suffix]
            if not self.preset.learn_sot:
                rows.insert(0, self.sot_row.expand(batch, -1, -1))
            embedded = torch.cat(rows, dim=1)
            eot = torch.full((batch,), embedded.shape[1] - 1)
            text = F.normalize(self.clip.encode_embedded_text(embedded, eot), dim=-1)
            columns.append((image * text).sum(dim=-1))
        return self.clip.logit_scale * torch.stack(columns, dim=1)

    def loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean over the batch."""
        scores = logits.softmax(dim=-1) if self.preset.double_softmax else logits
        return F.cross_entropy(scores, labels.long())


@dataclass(frozen=True)
class Run:
    init: torch.Tensor
    logits: torch.Tensor  # before the first update
    grad: torch.Tensor  # of the first step's loss
    after: torch.Tensor  # prompts after all steps
    losses: List[float]


def train(model: PtDpc, image_features: torch.Tensor, labels: torch.Tensor, steps: int) -> Run:
    """Full-batch updates. The schedule steps once per update here; in real training it steps once per epoch."""
    preset = model.preset
    if preset.optimizer == "sgd":
        optimizer = torch.optim.SGD([model.prompts], lr=preset.learning_rate, momentum=0.9, weight_decay=preset.weight_decay)
    else:
        optimizer = torch.optim.AdamW(
            [model.prompts], lr=preset.learning_rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=preset.weight_decay
        )
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, preset.step_size, preset.gamma)
    init, losses, first = model.prompts.detach().clone(), [], None
    for _ in range(steps):
        optimizer.zero_grad()
        logits = model.logits(image_features)
        loss = model.loss(logits, labels)
        loss.backward()
        losses.append(loss.item())
        if first is None:
            first = logits.detach(), model.prompts.grad.clone()
        optimizer.step()
        schedule.step()
    return Run(init, first[0], first[1], model.prompts.detach().clone(), losses)
