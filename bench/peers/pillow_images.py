#!/usr/bin/env python3
"""Images per second that Pillow decodes and prepares for CLIP (resize bicubic, centre crop, RGB), one thread. Prints one JSON line."""

import argparse
import io
import json
import time
from pathlib import Path

import PIL
from PIL import Image


def prepare(data: bytes, size: int) -> bytes:
    image = Image.open(io.BytesIO(data))
    short = min(image.size)
    width, height = (size * side // short for side in image.size)
    image = image.resize((width, height), Image.BICUBIC)
    left, top = round((width - size) / 2), round((height - size) / 2)
    return image.crop((left, top, left + size, top + size)).convert("RGB").tobytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("--seconds", type=float, default=0.5, help="how long to repeat it (default %(default)s)")
    options = parser.parse_args()
    data = options.image.read_bytes()
    prepare(data, 224)
    times, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < options.seconds or times < 3:
        prepare(data, 224)
        times += 1
    print(json.dumps({"peer": f"Pillow {PIL.__version__}", "unit": "images/s", "value": float(f"{times / seconds:.4g}")}))


if __name__ == "__main__":
    main()
