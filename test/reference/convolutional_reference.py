#!/usr/bin/env python3
"""AlexNet, VGG and ResNet in torchvision's naming: narrow ones of `torch.nn`, with the fixtures that they make, and torchvision's own at real size.

    convolutional_reference.py fixtures DIR [--check]

writes, or checks, `expected.safetensors`, the features of three pictures by each network of NETWORKS, and writes `shapes.json`, the shapes of its tensors.
Weights and pictures are not stored: both sides draw them by `random_weights` and `pictures`, whose numbers are exact on every machine.

    convolutional_reference.py real DIR NAME...

writes torchvision's NAME (`alexnet`, `vgg16`, `resnet101` ...) with such weights to DIR/NAME.pth, and `pixel_values`, two pictures of 224 x 224, with
their features, computed in float64, to DIR/expected.safetensors, with which compare_encoder.mjs compares.

    convolutional_reference.py speed NAME BATCH

prints the images per second of torchvision's NAME on two threads in float32.
"""

import json
import sys
import time
from pathlib import Path

import torch
from torch import nn

import safetensors_io

TOLERANCE = 1e-6


def random_weights(shapes):
    """A number in [-1, 1) for each place from a linear congruential generator, scaled so that activations keep their size.

    Names are drawn in alphabetical order, one generator for each, seeded by the name's place.
    """
    weights = {}
    for seed, name in enumerate(sorted(shapes)):
        shape = shapes[name]
        if name.endswith("num_batches_tracked"):
            weights[name] = torch.zeros((), dtype=torch.int64)
            continue
        uniform = uniform_numbers(seed, shape.numel())
        part = name.rsplit(".", 1)[1]
        if len(shape) > 1:  # variance 2 / inputs (He et al., 2015)
            value = uniform * (6 / shape[1:].numel()) ** 0.5
        elif part == "running_var":
            value = 1 + 0.5 * uniform
        elif part == "weight":  # of a batch norm
            value = 0.75 + 0.25 * uniform
        else:
            value = 0.1 * uniform
        weights[name] = value.reshape(shape).float()
    return weights


def uniform_numbers(seed, count):
    """The bits of (place * 0x9e3779b1 + seed * 0x85ebca6b), mixed (the finaliser of MurmurHash3), as float64 in [-1, 1)."""
    mask = 0xFFFFFFFF
    x = (torch.arange(1, count + 1, dtype=torch.int64) * 0x9E3779B1 + (seed + 1) * 0x85EBCA6B) & mask
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = x ^ (x >> shift)
        # By halves: the product of two numbers of 32 bits overflows the sign.
        x = ((x * (factor & 0xFFFF)) + (((x * (factor >> 16)) & 0xFFFF) << 16)) & mask
    x = x ^ (x >> 16)
    return (x >> 8).double() / 2**23 - 1


def pictures(count, size):
    return uniform_numbers(1000, count * 3 * size * size).reshape(count, 3, size, size).float()


class Flat(nn.Module):
    """`features`, `avgpool` and `classifier` as torchvision's AlexNet and VGG have them."""

    def __init__(self, features, cells, classifier):
        super().__init__()
        self.features, self.avgpool, self.classifier = features, nn.AdaptiveAvgPool2d(cells), classifier

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


def alexnet(channels, cells, hidden, width, classes):
    a, b, c, d, e = channels
    features = nn.Sequential(
        nn.Conv2d(3, a, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(a, b, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
        nn.Conv2d(b, c, 3, padding=1), nn.ReLU(),
        nn.Conv2d(c, d, 3, padding=1), nn.ReLU(),
        nn.Conv2d(d, e, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
    )
    return Flat(features, cells, nn.Sequential(
        nn.Dropout(), nn.Linear(e * cells * cells, hidden), nn.ReLU(),
        nn.Dropout(), nn.Linear(hidden, width), nn.ReLU(), nn.Linear(width, classes),
    ))


def vgg(stages, channels, norm, cells, hidden, width, classes):
    modules, before = [], 3
    for convolutions, n in zip(stages, channels):
        for _ in range(convolutions):
            modules += [nn.Conv2d(before, n, 3, padding=1), *([nn.BatchNorm2d(n)] if norm else []), nn.ReLU()]
            before = n
        modules.append(nn.MaxPool2d(2, 2))
    return Flat(nn.Sequential(*modules), cells, nn.Sequential(
        nn.Linear(before * cells * cells, hidden), nn.ReLU(), nn.Dropout(),
        nn.Linear(hidden, width), nn.ReLU(), nn.Dropout(), nn.Linear(width, classes),
    ))


class Block(nn.Module):
    """A residual block: its `conv1`, `bn1` ... and, where sizes differ, `downsample`."""

    def __init__(self, before, inner, outer, stride, bottleneck):
        super().__init__()
        windows = [1, 3, 1] if bottleneck else [3, 3]
        outputs = [inner, inner, outer] if bottleneck else [inner, outer]
        self.count, inputs = len(windows), before
        for i, (window, n) in enumerate(zip(windows, outputs)):
            own = stride if i == (1 if bottleneck else 0) else 1
            setattr(self, f"conv{i + 1}", nn.Conv2d(inputs, n, window, own, window // 2, bias=False))
            setattr(self, f"bn{i + 1}", nn.BatchNorm2d(n))
            inputs = n
        past = stride > 1 or before != outer
        self.downsample = nn.Sequential(nn.Conv2d(before, outer, 1, stride, bias=False), nn.BatchNorm2d(outer)) if past else None

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            if i < self.count:
                y = torch.relu(y)
        return torch.relu(y + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    def __init__(self, blocks, stem, inner, outer, bottleneck, classes):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, stem, 7, 2, 3, bias=False), nn.BatchNorm2d(stem)
        before = stem
        for stage, count in enumerate(blocks):
            modules = []
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                modules.append(Block(before, inner[stage], outer[stage], stride, bottleneck))
                before = outer[stage]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*modules))
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return self.fc(x.mean((2, 3)))


# Narrow, of few classes, for pictures of 67 x 67, so that windows do not fit exactly.
SIZE = 67
NETWORKS = {
    "alexnet": lambda: alexnet((8, 12, 10, 6, 8), 2, 20, 24, 5),
    "vgg11": lambda: vgg((1, 1, 2, 2, 2), (4, 6, 8, 10, 12), False, 3, 20, 24, 5),
    "vgg13_bn": lambda: vgg((2, 2, 2, 2, 2), (4, 6, 8, 10, 9), True, 2, 20, 24, 5),
    "vgg16": lambda: vgg((2, 2, 3, 3, 3), (4, 6, 8, 8, 8), False, 7, 12, 16, 5),
    "resnet_basic": lambda: ResNet((2, 1, 2, 1), 8, (8, 12, 12, 16), (8, 12, 12, 16), False, 5),
    "resnet_bottleneck": lambda: ResNet((1, 2, 1, 3), 8, (4, 8, 6, 8), (16, 24, 20, 32), True, 5),
}


def with_weights(network):
    network.load_state_dict(random_weights({name: tensor.shape for name, tensor in network.state_dict().items()}))
    return network.double().eval()


def feature(network, pixels):
    """What the classifier's last layer is given."""
    last = network.fc if hasattr(network, "fc") else network.classifier[-1]
    seen = []
    handle = last.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    with torch.no_grad():
        network(pixels)
    handle.remove()
    return seen[0]


def fixtures(directory, check):
    pixels = pictures(3, SIZE)
    features = {name: feature(with_weights(make()), pixels.double()).float() for name, make in NETWORKS.items()}
    if not check:
        directory.mkdir(parents=True, exist_ok=True)
        safetensors_io.save(directory / "expected.safetensors", features)
        shapes = {name: {key: list(value.shape) for key, value in make().state_dict().items()} for name, make in NETWORKS.items()}
        (directory / "shapes.json").write_text(json.dumps(shapes) + "\n")
        return
    stored = safetensors_io.load(directory / "expected.safetensors")
    worst = max(((features[name] - stored[name]).norm() / stored[name].norm()).item() for name in NETWORKS)
    print(f"largest difference, of the feature's norm: {worst:.1e}")
    sys.exit(0 if worst <= TOLERANCE else 1)


def real(directory, names):
    pixels = pictures(2, 224)
    features = {name: real_feature(directory, name, pixels) for name in names}
    safetensors_io.save(directory / "expected.safetensors", {"pixel_values": pixels, **features})


def real_feature(directory, name, pixels):
    import torchvision

    network = with_weights(getattr(torchvision.models, name)())
    directory.mkdir(parents=True, exist_ok=True)
    exact = feature(network, pixels.double())
    single = feature(network.float(), pixels)
    torch.save(network.state_dict(), directory / f"{name}.pth")
    print(f"{name}: torchvision in float32 is off by {((single - exact).norm() / exact.norm()).item():.1e} of the feature's norm")
    return exact.float()


def speed(name, batch):
    import torchvision

    torch.set_num_threads(2)
    network = getattr(torchvision.models, name)().eval()
    pixels = torch.rand(batch, 3, 224, 224)
    times = []
    with torch.no_grad():
        network(pixels)
        begin = time.perf_counter()
        while time.perf_counter() - begin < 15 or len(times) < 3:
            start = time.perf_counter()
            network(pixels)
            times.append(time.perf_counter() - start)
    print(f"{name}: {batch / sorted(times)[len(times) // 2]:.2f} images/s in batches of {batch} (best {batch / min(times):.2f})")


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "fixtures":
        fixtures(Path(rest[0]), "--check" in rest)
    elif command == "real":
        real(Path(rest[0]), rest[1:])
    else:
        speed(rest[0], int(rest[1]))
