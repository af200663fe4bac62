#!/usr/bin/env python3
"""Writes a ViT-B/32 vision tower of random weights as ONNX, for onnxruntime_encode.mjs: export_vision_tower.py <file> --batch <n>"""

import torch

from timing import Clip, arguments, random_vit_b32


class VisionTower(torch.nn.Module):
    def __init__(self, clip: Clip):
        super().__init__()
        self.clip = clip

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.clip.encode_image(pixels)["features"]


def main() -> None:
    parser = arguments(__doc__, batch=8, iterations=1)
    parser.add_argument("file")
    options = parser.parse_args()
    tower = VisionTower(random_vit_b32(options)).eval()
    pixels = torch.randn(options.batch, 3, 224, 224)
    with torch.no_grad():
        torch.onnx.export(tower, (pixels,), options.file, input_names=["pixels"], output_names=["features"], opset_version=14)


if __name__ == "__main__":
    main()
