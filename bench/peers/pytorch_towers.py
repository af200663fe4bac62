#!/usr/bin/env python3
"""Images per second that PyTorch encodes with a ViT-B/32 of random weights. Prints one JSON line."""

import torch

from timing import arguments, random_vit_b32, report


def main() -> None:
    options = arguments(__doc__, batch=8, iterations=5).parse_args()
    clip = random_vit_b32(options)
    pixels = torch.randn(options.batch, 3, 224, 224, device=options.device)
    with torch.no_grad():
        report("ViT-B/32 image encode", options, lambda: clip.encode_image(pixels))


if __name__ == "__main__":
    main()
