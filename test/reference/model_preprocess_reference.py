"""Regenerates models.json and encoders.json of test/fixtures/preprocess: what models that prepare pictures otherwise than OpenAI's see.

    python3 test/reference/model_preprocess_reference.py

The transforms are torchvision's, put together as open_clip (transform.py) and timm (transforms_factory.py) do it in evaluation. Needs
torch, torchvision and Pillow (made with 0.14 and 9.4.0).

`models.json`: some fixtures at small sizes; `rgb` are the 8-bit pixels, `values` the first of what the tower takes, as float32. `encoders.json`: all
fixtures as torchvision's ImageNet models, timm's and Hugging Face's BEiT see them, at 224 pixels; `sha256` is the beginning of that of the 8-bit pixels.
"""

import base64
import hashlib
import json
import pathlib

import numpy as np
from PIL import Image
from torchvision import transforms
from torchvision.transforms.functional import InterpolationMode

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "preprocess"
INPUTS = [
    "03_100x80_RGB.png",
    "06_17x400_RGB.png",
    "09_300x451_RGBA.png",
    "10_260x300_P.png",
    "11_300x300_LA.png",
    "small/png-type2-8bit.png",
]
HALF = dict(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])
IMAGENET = dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
MODELS = [
    dict(size=16, resize=16, shape="shortest", filter="bilinear", toRgb="after", **HALF),
    dict(size=16, resize=16, shape="squash", filter="bicubic", toRgb="after", **IMAGENET),
    dict(size=17, resize=17, shape="squash", filter="bilinear", toRgb="after", **HALF),
    dict(size=15, resize=18, shape="shortest", filter="bilinear", toRgb="before", **IMAGENET),
    dict(size=14, resize=17, shape="squash", filter="bicubic", toRgb="before", **HALF),
]
VALUES = 8

# A bilinear crop of 224 from 256, a bicubic one from 248, and a bilinear square.
ENCODERS = [
    dict(size=224, resize=256, shape="shortest", filter="bilinear", toRgb="before", **IMAGENET),
    dict(size=224, resize=248, shape="shortest", filter="bicubic", toRgb="before", **HALF),
    dict(size=224, resize=224, shape="squash", filter="bilinear", toRgb="before", **HALF),
]


def transform(how):
    resize = how["resize"] if how["shape"] == "shortest" else (how["resize"], how["resize"])
    steps = [
        transforms.Resize(resize, interpolation=InterpolationMode(how["filter"])),
        transforms.CenterCrop(how["size"]),
    ]
    to_rgb = transforms.Lambda(lambda image: image.convert("RGB"))
    return transforms.Compose([to_rgb, *steps] if how["toRgb"] == "before" else [*steps, to_rgb])


def main():
    cases = []
    for how in MODELS:
        for name in INPUTS:
            image = transform(how)(Image.open(FOLDER / name))
            tensor = transforms.Compose([transforms.ToTensor(), transforms.Normalize(how["mean"], how["std"])])(image)
            values = tensor.numpy().astype("<f4").reshape(-1)[:VALUES]
            encoded = [base64.b64encode(data).decode() for data in (np.asarray(image).tobytes(), values.tobytes())]
            cases.append(dict(input=name, how=how, rgb=encoded[0], values=encoded[1]))
    write("models.json", cases)
    inputs = [folder + case["input"] for folder in ("", "small/") for case in json.loads((FOLDER / folder / "cases.json").read_text())]
    hashes = [dict(how=how, sha256={name: pixels_hash(how, name) for name in inputs}) for how in ENCODERS]
    write("encoders.json", hashes)


def pixels_hash(how, name):
    with Image.open(FOLDER / name) as image:
        return hashlib.sha256(np.asarray(transform(how)(image)).tobytes()).hexdigest()[:16]


def write(name, cases):
    lines = ",\n".join(json.dumps(case) for case in cases)
    (FOLDER / name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
