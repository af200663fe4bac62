#!/usr/bin/env python3
"""Images per second of a PT-DPC training step in PyTorch: ViT-B/32 sizes, random weights, preset `paper`, mode `both`.

usual      the way that such methods are published: 77 tokens a sequence, the image tower run again at each step
truncated  the cheap half of what ptdpc does, easily had in PyTorch too: 12 tokens a sequence, image features cached

Both put every (image, class) pair of the batch through the text tower at once. Frozen weights get no gradient in either.
Prints a JSON line for each.
"""

import torch
import torch.nn.functional as F

from timing import Clip, arguments, random_vit_b32, report

CLASSES = 8
TEMPLATE_LENGTH = 8  # "a photo seems to express a feeling of"
TOKENS = {"usual": 77, "truncated": 12}


class Step:
    """One SGD update on one batch, over and over."""

    def __init__(self, clip: Clip, batch: int, tokens: int, cached: bool):
        device = clip.token_embedding.device
        self.clip, self.cached = clip, cached
        self.pixels = torch.randn(batch, 3, 224, 224, device=device)
        self.labels = torch.arange(batch, device=device) % CLASSES
        self.features = self.encode() if cached else None
        template = torch.arange(TEMPLATE_LENGTH, device=device)
        self.prompts = clip.token_embedding[template].repeat(CLASSES, 1, 1).requires_grad_()
        self.sot = clip.token_embedding[-2].expand(batch * CLASSES, 1, -1)
        # One class token, EOT and padding. Which ids they are makes no difference to the time.
        rest = clip.token_embedding[torch.arange(tokens - 1 - TEMPLATE_LENGTH, device=device)]
        self.rest = rest.expand(batch * CLASSES, -1, -1)
        self.eot = torch.full((batch * CLASSES,), TEMPLATE_LENGTH + 2, device=device)
        self.optimizer = torch.optim.SGD([self.prompts], lr=0.1, momentum=0.9)

    def encode(self) -> torch.Tensor:
        with torch.no_grad():
            return F.normalize(self.clip.encode_image(self.pixels)["features"], dim=-1)

    def __call__(self) -> float:
        image = self.features if self.cached else self.encode()
        weight = F.cosine_similarity(image[:, None, None, :], self.prompts[None], dim=-1)
        composed = (weight[..., None] * self.prompts[None]).sum(dim=1)
        embedded = torch.cat([self.sot, composed.repeat_interleave(CLASSES, dim=0), self.rest], dim=1)
        text = F.normalize(self.clip.encode_embedded_text(embedded, self.eot), dim=-1).view(len(image), CLASSES, -1)
        logits = self.clip.logit_scale * torch.einsum("bd,bcd->bc", image, text)
        loss = F.cross_entropy(logits, self.labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main() -> None:
    parser = arguments(__doc__, batch=4, iterations=3)
    parser.add_argument("--only", choices=tuple(TOKENS), help="one of the two (default both)")
    options = parser.parse_args()
    clip = random_vit_b32(options)
    for name, tokens in TOKENS.items():
        if options.only in (None, name):
            step = Step(clip, options.batch, tokens, cached=name == "truncated")
            report(f"PT-DPC training step, {name}", options, step)


if __name__ == "__main__":
    main()
