#!/usr/bin/env python3
"""The encoders of the paper's Table 4 beside CLIP's, with random weights: images per second as one JSON line, or an ONNX file for onnxruntime_encode.mjs.

    pytorch_encoders.py NAME --batch 8 [--iterations 3]
    pytorch_encoders.py NAME --batch 8 --onnx FILE

NAME is AlexNet, VGG16, ResNet101 (torchvision's, without the classifier's last layer), DeiT or BEiT (those of test/reference).
"""

import sys
from pathlib import Path

import torch

from timing import arguments, report

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "reference"))


class Function(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.function(pixels)


def encoder(name: str) -> torch.nn.Module:
    if name in ("AlexNet", "VGG16", "ResNet101"):
        import torchvision

        network = getattr(torchvision.models, name.lower())()
        if name == "ResNet101":
            network.fc = torch.nn.Identity()
        else:
            network.classifier[6] = torch.nn.Identity()
        return network.eval()
    if name == "DeiT":
        import vit_reference as reference

        sizes = reference.BASE
        weights = {key: tensor.float() for key, tensor in reference.random_vit(sizes, 1, 0).items()}
        return Function(lambda pixels: reference.encode(weights, pixels, sizes, torch.float32))
    import beit_reference as reference

    sizes = reference.BASE
    weights = {key: tensor.float() for key, tensor in reference.random_beit(sizes, False, 0).items()}
    return Function(lambda pixels: reference.encode(weights, pixels, sizes, 1e-6, torch.float32))


def main() -> None:
    parser = arguments(__doc__, batch=8, iterations=3)
    parser.add_argument("name", choices=["AlexNet", "VGG16", "ResNet101", "DeiT", "BEiT"])
    parser.add_argument("--onnx", help="write this file instead of timing")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    network = encoder(options.name).to(options.device)
    pixels = torch.randn(options.batch, 3, 224, 224, device=options.device)
    with torch.no_grad():
        if options.onnx:
            torch.onnx.export(network, (pixels,), options.onnx, input_names=["pixels"], output_names=["features"], opset_version=14)
        else:
            report(f"{options.name} image encode", options, lambda: network(pixels))


if __name__ == "__main__":
    main()
