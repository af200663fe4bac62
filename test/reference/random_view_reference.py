"""Random views of images, by Pillow: the numbers of test/clip/image/random-view.test.ts.

    python3 test/reference/random_view_reference.py

A crop and its mirroring are drawn as torchvision's RandomResizedCrop and RandomHorizontalFlip draw them, but from mulberry32. Needs Pillow.
"""

import hashlib
import math
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "preprocess"
MASK = 0xFFFFFFFF


def mulberry32(state):
    while True:
        state = (state + 0x6D2B79F5) & MASK
        t = ((state ^ (state >> 15)) * (state | 1)) & MASK
        t = (t ^ (t + (((t ^ (t >> 7)) * (t | 61)) & MASK))) & MASK
        yield ((t ^ (t >> 14)) & MASK) / 2**32


def crop_of(width, height, uniform):
    """(left, top, width, height)."""
    for _ in range(10):
        area = (0.08 + 0.92 * next(uniform)) * width * height
        low, high = math.log(3 / 4), math.log(4 / 3)
        ratio = math.exp(low + (high - low) * next(uniform))
        w, h = int(math.sqrt(area * ratio) + 0.5), int(math.sqrt(area / ratio) + 0.5)
        if 0 < w <= width and 0 < h <= height:
            top = int(next(uniform) * (height - h + 1))
            return int(next(uniform) * (width - w + 1)), top, w, h
    w, h = width, height
    if width / height < 3 / 4:
        h = int(width / (3 / 4) + 0.5)
    elif width / height > 4 / 3:
        w = int(height * (4 / 3) + 0.5)
    return (width - w) // 2, (height - h) // 2, w, h


def main():
    for size, seed in [((640, 480), 1), ((640, 480), 2), ((17, 400), 3), ((400, 17), 3), ((1, 1), 4)]:
        print("crop", size, seed, crop_of(*size, mulberry32(seed)))
    for name, seed in [("00_640x480_RGB.png", 1), ("00_640x480_RGB.png", 2), ("10_260x300_P.png", 5), ("08_500x333_L.png", 6)]:
        uniform = mulberry32(seed)
        image = Image.open(FOLDER / name).convert("RGB")
        left, top, w, h = crop_of(*image.size, uniform)
        view = image.crop((left, top, left + w, top + h)).resize((224, 224), Image.BICUBIC)
        mirrored = next(uniform) < 0.5
        if mirrored:
            view = view.transpose(Image.FLIP_LEFT_RIGHT)
        print(name, seed, (left, top, w, h), mirrored, hashlib.sha256(view.tobytes()).hexdigest())


if __name__ == "__main__":
    main()
