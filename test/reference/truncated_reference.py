"""Regenerates test/fixtures/preprocess/truncated.json: what Pillow reads of the files in preprocess/small when they are cut short.

    python3 test/reference/truncated_reference.py [--cuts N] [--out FILE]

Needs Pillow (made with Pillow 9.4.0 and libjpeg-turbo 2.1.5 on x86-64, the packages of Debian 12). For every file and length in bytes it has
the SHA-256 of the pixels after `convert("RGB")`, under ImageFile.LOAD_TRUNCATED_IMAGES. Left out are lengths at which Pillow refuses the file,
and what docs/robustness.md names as read otherwise: arithmetic coding, and BMP files that end in their palette. WebP is always refused.
With more cuts it makes as many further cases as one likes.
"""

import argparse
import hashlib
import io
import json
import pathlib
import struct
import warnings

from PIL import Image, ImageFile

# Lengths at which bits that are missing make a code of more coefficients than a block has or of values that 16 bits do not hold, or at which
# zlib holds rows back.
ODD_CUTS = {
    "jpeg-444-progressive.jpg": (1497, 1741),
    "jpeg-grey-progressive.jpg": (501,),
    "jpeg-grey.jpg": (421,),
    "png-type0-1bit.png": (81, 189),
    "png-type3-1bit-interlaced.png": (183,),
}

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "preprocess"


def pixels(file):
    image = Image.open(io.BytesIO(file))
    image.load()
    return image.convert("RGB").tobytes()


def cases(file, suffix, cuts, odd):
    first = struct.unpack("<I", file[10:14])[0] if suffix == ".bmp" else 1
    for cut in sorted({*(first + (len(file) - first) * i // cuts for i in range(cuts)), *odd}):
        try:
            yield cut, hashlib.sha256(pixels(file[:cut])).hexdigest()[:16]
        except (OSError, ValueError):
            pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, default=FIXTURES / "truncated.json")
    parser.add_argument("--cuts", type=int, default=16)
    arguments = parser.parse_args()
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    warnings.simplefilter("ignore")
    found = {}
    for path in sorted((FIXTURES / "small").iterdir()):
        name = path.name
        if path.suffix not in (".jpg", ".png", ".gif", ".bmp") or "expected" in name or "arithmetic" in name:
            continue
        file = path.read_bytes()
        found[name] = dict(cases(file, path.suffix, arguments.cuts, ODD_CUTS.get(name, ())))
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(hashes)}" for name, hashes in found.items())
    arguments.out.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
