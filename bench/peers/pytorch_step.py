#!/usr/bin/env python3
"""Images per second of a training step in PyTorch: ViT-B/32 sizes, random weights; PT-DPC (preset `paper`, mode `both`), or CoCoOp.

usual      the way that such methods are published: 77 tokens a sequence, the image tower run again at each step
truncated  the cheap half of what ptdpc does, easily had in PyTorch too: 12 tokens a sequence, image features cached

Both put every (image, class) pair of the batch through the text tower at once. Frozen weights get no gradient in either.
Prints a JSON line for each.
"""

import torch
import torch.nn.functional as F

from timing import Clip, arguments, random_vit_b32, report

CLASSES = 8
TEMPLATE_LENGTH = {"pt-dpc": 8, "cocoop": 4}  # "a photo seems to express a feeling of", "a photo of a"
TOKENS = {"usual": 77, "truncated": 12}


class Step:
    """One SGD update on one batch, over and over."""

    def __init__(self, clip: Clip, learner: str, batch: int, classes: int, tokens: int, cached: bool):
        device = clip.token_embedding.device
        length = TEMPLATE_LENGTH[learner]
        self.clip, self.cached, self.classes = clip, cached, classes
        self.pixels = torch.randn(batch, 3, 224, 224, device=device)
        self.labels = torch.arange(batch, device=device) % classes
        self.features = self.encode() if cached else None
        template = clip.token_embedding[torch.arange(length, device=device)]
        learned = self.start(learner, template)
        self.sot = clip.token_embedding[-2].expand(batch * classes, 1, -1)
        # One class token, EOT and padding. Which ids they are makes no difference to the time.
        rest = clip.token_embedding[torch.arange(tokens - 1 - length, device=device)]
        self.rest = rest.expand(batch * classes, -1, -1)
        self.eot = torch.full((batch * classes,), length + 2, device=device)
        self.optimizer = torch.optim.SGD(learned, lr=0.1, momentum=0.9)

    def start(self, learner: str, template: torch.Tensor) -> list:
        """What is learned; `composed` makes the prompts of a batch from it, [images, tokens, width]."""
        if learner == "pt-dpc":
            prompts = template.repeat(self.classes, 1, 1).requires_grad_()

            def composed(image: torch.Tensor) -> torch.Tensor:
                weight = F.cosine_similarity(image[:, None, None, :], prompts[None], dim=-1)
                return (weight[..., None] * prompts[None]).sum(dim=1)

            self.composed = composed
            return [prompts]
        context = template.clone().requires_grad_()
        width = template.shape[-1]
        layers = [torch.nn.Linear(width, width // 16), torch.nn.ReLU(), torch.nn.Linear(width // 16, width)]
        meta = torch.nn.Sequential(*layers).to(template.device)
        self.composed = lambda image: context + meta(image)[:, None]
        return [context, *meta.parameters()]

    def encode(self) -> torch.Tensor:
        with torch.no_grad():
            return F.normalize(self.clip.encode_image(self.pixels)["features"], dim=-1)

    def __call__(self) -> float:
        image = self.features if self.cached else self.encode()
        prompts = self.composed(image).repeat_interleave(self.classes, dim=0)
        embedded = torch.cat([self.sot, prompts, self.rest], dim=1)
        text = F.normalize(self.clip.encode_embedded_text(embedded, self.eot), dim=-1).view(len(image), self.classes, -1)
        logits = self.clip.logit_scale * torch.einsum("bd,bcd->bc", image, text)
        loss = F.cross_entropy(logits, self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main() -> None:
    parser = arguments(__doc__, batch=4, iterations=3)
    parser.add_argument("--only", choices=tuple(TOKENS), help="one of the two (default both)")
    parser.add_argument("--learner", choices=tuple(TEMPLATE_LENGTH), default="pt-dpc")
    parser.add_argument("--classes", type=int, default=CLASSES)
    options = parser.parse_args()
    clip = random_vit_b32(options)
    for name, tokens in TOKENS.items():
        if options.only in (None, name):
            step = Step(clip, options.learner, options.batch, options.classes, tokens, cached=name == "truncated")
            report(f"{options.learner} training step, {name}", options, step)


if __name__ == "__main__":
    main()
