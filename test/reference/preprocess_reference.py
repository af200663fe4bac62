"""Regenerates test/fixtures/preprocess/small: odd image files, and what CLIP's preprocessing makes of them under Pillow.

    python3 test/reference/preprocess_reference.py [--out DIR] [--seed N] [--rounds N]

Needs Pillow and numpy (made with Pillow 9.4.0 and libjpeg-turbo 2.1), and `cjpeg` of libjpeg-turbo. The PNG variants that Pillow cannot write (bit depths,
interlacing, transparency, unusual filters) are written here. With another seed and more rounds it makes as many further cases as one likes.
"""

import argparse
import io
import json
import pathlib
import subprocess
import struct
import zlib

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def clip_pixels(image, size):
    """Resize, CenterCrop and convert("RGB") of the original CLIP, on a Pillow image."""
    w, h = image.size
    if min(w, h) != size:
        w, h = (size, int(size * h / w)) if w <= h else (int(size * w / h), size)
        image = image.resize((w, h), Image.BICUBIC)
    left, top = int(round((w - size) / 2)), int(round((h - size) / 2))
    return image.crop((left, top, left + size, top + size)).convert("RGB")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_row(samples, depth):
    """Bytes of a row of samples, most significant bit first."""
    if depth == 16:
        return samples.astype(">u2").tobytes()
    bits = ((samples[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
    return np.packbits(bits.reshape(-1)).tobytes()


def filtered(row, above, step, kind):
    out = bytearray()
    for i, value in enumerate(row):
        a = row[i - step] if i >= step else 0
        b = above[i]
        c = above[i - step] if i >= step else 0
        p = a + b - c
        nearest = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        out.append((value - (0, a, b, (a + b) // 2, nearest)[kind]) & 255)
    return bytes([kind]) + bytes(out)


def png(samples, color_type, depth, rng, interlaced=False, extra=b""):
    """A PNG file of samples [height, width, channels], each row with a random filter, the data in several chunks."""
    height, width, channels = samples.shape
    step = max(1, channels * depth // 8)
    data = b""
    for left, top, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[top::dy, left::dx]
        if part.size == 0:
            continue
        above = None
        for row in part:
            packed = pack_row(row.reshape(-1), depth)
            data += filtered(packed, above or bytes(len(packed)), step, int(rng.integers(5)))
            above = packed
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    packed = zlib.compress(data)
    cut = len(packed) // 3
    idat = b"".join(chunk(b"IDAT", part) for part in (packed[:cut], b"", packed[cut:]))
    text = chunk(b"tEXt", b"Comment\0noise")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + text + extra + idat + chunk(b"IEND", b"")


def picture(rng, height, width, channels, levels):
    """Smooth shapes with some noise, so that neither interpolation nor clipping is trivial."""
    y, x = np.mgrid[0:height, 0:width]
    out = np.empty((height, width, channels))
    for c in range(channels):
        fx, fy, phase = rng.uniform(0.02, 1.2, 3)
        out[..., c] = 0.5 + 0.6 * np.sin(fx * x + phase) * np.cos(fy * y + c) + rng.normal(0, 0.08, (height, width))
    return np.clip(np.rint(out * (levels - 1)), 0, levels - 1).astype(np.int64)


def png_cases(rng):
    variants = [(0, d) for d in (1, 2, 4, 8, 16)] + [(3, d) for d in (1, 2, 4, 8)] + [(t, d) for t in (2, 4, 6) for d in (8, 16)]
    for color_type, depth in variants:
        for interlaced in (False, True):
            height, width = (int(n) for n in rng.integers(1, 48, 2))
            samples = picture(rng, height, width, CHANNELS[color_type], 2**depth)
            extra = b""
            if color_type == 3:
                colors = int(samples.max()) + 1
                extra = chunk(b"PLTE", rng.bytes(3 * colors)) + chunk(b"tRNS", rng.bytes(int(rng.integers(1, colors + 1))))
            elif color_type in (0, 2) and interlaced:
                extra = chunk(b"tRNS", b"\0\1" * CHANNELS[color_type])
            name = f"png-type{color_type}-{depth}bit{'-interlaced' if interlaced else ''}"
            yield name, "png", png(samples, color_type, depth, rng, interlaced, extra)


def adobe_marker(transform):
    return b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])


def jpeg_cases(rng):
    variants = [
        ("444", "RGB", dict(subsampling=0)),
        ("422", "RGB", dict(subsampling=1)),
        ("420", "RGB", dict(subsampling=2)),
        ("420-progressive", "RGB", dict(subsampling=2, progressive=True)),
        ("444-progressive", "RGB", dict(subsampling=0, progressive=True, optimize=True)),
        ("420-quality5", "RGB", dict(subsampling=2, quality=5)),
        ("grey", "L", dict()),
        ("grey-progressive", "L", dict(progressive=True)),
        ("cmyk", "CMYK", dict()),
        ("cmyk-progressive", "CMYK", dict(progressive=True)),
        ("adobe-rgb", "RGB", dict(subsampling=0)),
        ("adobe-ycck", "CMYK", dict()),
    ]
    for name, mode, options in variants:
        height, width = (int(n) for n in rng.integers(1, 64, 2))
        bands = {"L": 1, "RGB": 3, "CMYK": 4}[mode]
        pixels = picture(rng, height, width, bands, 256).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels[..., 0] if mode == "L" else pixels, mode).save(file, "JPEG", **{"quality": 85, **options})
        data = file.getvalue()
        if name == "adobe-rgb":  # the same samples, declared not to be YCbCr; in place of the 18 bytes of JFIF's marker
            data = data[:2] + adobe_marker(0) + data[20:]
        elif name == "adobe-ycck":
            data = data.replace(adobe_marker(0), adobe_marker(2))
            assert adobe_marker(2) in data
        yield f"jpeg-{name}", "jpg", data


def cjpeg(pixels, *options):
    """What Pillow cannot write: arithmetic coding, chroma halved in one direction only."""
    height, width, _ = pixels.shape
    ppm = f"P6 {width} {height} 255\n".encode() + pixels.tobytes()
    return subprocess.run(["cjpeg", "-quality", "85", *options], input=ppm, stdout=subprocess.PIPE, check=True).stdout


def odd_jpeg_cases(rng):
    def pixels(channels):
        height, width = (int(n) for n in rng.integers(9, 64, 2))
        return picture(rng, height, width, channels, 256).astype(np.uint8)

    variants = [
        ("440", "-sample", "1x2"),
        ("440-progressive", "-sample", "1x2", "-progressive"),
        ("arithmetic", "-arithmetic", "-sample", "2x2"),
        ("arithmetic-progressive", "-arithmetic", "-progressive", "-sample", "2x1"),
        ("arithmetic-restarts", "-arithmetic", "-restart", "1", "-sample", "1x1"),
    ]
    for name, *options in variants:
        yield f"jpeg-{name}", "jpg", cjpeg(pixels(3), *options)
    file = io.BytesIO()
    Image.fromarray(pixels(4), "CMYK").save(file, "JPEG", quality=85)
    yield "jpeg-cmyk-bare", "jpg", file.getvalue().replace(b"\xff\xee\0\x0e" + adobe_marker(0)[4:], b"")
    yield "jpeg-end-zeroed", "jpg", cjpeg(pixels(3), "-sample", "2x2")[:-2] + bytes(16)


def odd_png_cases(rng):
    height, width = (int(n) for n in rng.integers(9, 48, 2))
    yield "png-type0-16bit-dark", "png", png(picture(rng, height, width, 1, 300), 0, 16, rng)
    file = bytearray(png(picture(rng, height, width, 3, 256), 2, 8, rng))
    file[file.rindex(b"IEND") - 5] ^= 1
    yield "png-idat-checksum", "png", bytes(file)


def other_cases(rng):
    """WebP, GIF and BMP; lossless but for one, whose decoder is exact."""
    height, width = (int(n) for n in rng.integers(9, 40, 2))
    rgb, rgba, other = (Image.fromarray(picture(rng, height, width, n, 256).astype(np.uint8)) for n in (3, 4, 4))
    indices = Image.fromarray(picture(rng, height, width, 1, 16)[..., 0].astype(np.uint8), "P")
    indices.putpalette(rng.bytes(48))
    grey = rgb.convert("L")
    frames = dict(save_all=True, append_images=[other], minimize_size=True)
    for name, image, ending, options in [
        ("webp-lossy", rgb, "webp", dict(quality=80)),
        ("webp-lossy-alpha", rgba, "webp", dict(quality=80)),
        ("webp-lossless", rgb, "webp", dict(lossless=True)),
        ("webp-lossless-alpha", rgba, "webp", dict(lossless=True, exact=True)),
        ("webp-animated", rgba, "webp", dict(lossless=True, **frames)),
        ("gif-palette", indices, "gif", dict(interlace=0)),
        ("gif-interlaced", indices, "gif", dict(interlace=1, transparency=3)),
        ("gif-grey", grey, "gif", dict()),
        ("gif-animated", indices, "gif", dict(save_all=True, append_images=[indices.rotate(180)])),
        ("bmp-rgb", rgb, "bmp", dict()),
        ("bmp-alpha", rgba, "bmp", dict()),
        ("bmp-palette", indices, "bmp", dict()),
        ("bmp-grey", grey, "bmp", dict()),
        ("bmp-1bit", grey.convert("1"), "bmp", dict()),
    ]:
        file = io.BytesIO()
        image.save(file, {"webp": "WEBP"}.get(ending, ending.upper()), **options)
        yield name, ending, file.getvalue()
    palette = rng.bytes(64)
    for name, bits, compression, data in [
        ("bmp-4bit", 4, 0, rng.bytes(8 * 9)),
        ("bmp-16bit", 16, 0, rng.bytes(28 * 9)),
        ("bmp-rle4", 4, 2, b"".join(bytes([9, i * 29 % 256, 0, 4, i, 7 * i, 0, 0]) for i in range(9)) + b"\0\1"),
        ("bmp-rle8", 8, 1, b"".join(bytes([9, i, 0, 4, i, 3, 2, 1, 0, 0]) for i in range(9)) + b"\0\1"),
    ]:
        colors = palette if bits <= 8 else b""
        header = struct.pack("<IiiHHIIIIII", 40, 13, 9, 1, bits, compression, 0, 0, 0, len(colors) // 4, 0)
        yield name, "bmp", b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + len(colors)) + header + colors + data


def expected_pixels(file, size):
    image = Image.open(io.BytesIO(file))
    image.load()
    return Image.fromarray(np.asarray(clip_pixels(image, size)))  # without the file's metadata


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "fixtures" / "preprocess" / "small")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(arguments.seed)
    cases = []
    for round_ in range(arguments.rounds):
        for groups in ((png_cases, jpeg_cases), (odd_jpeg_cases, odd_png_cases), (other_cases,)):
            for name, ending, file in [case for cases_of in groups for case in cases_of(rng)]:
                stem = name if arguments.rounds == 1 else f"{round_}-{name}"
                size = int(rng.integers(1, 40))
                (arguments.out / f"{stem}.{ending}").write_bytes(file)
                expected_pixels(file, size).save(arguments.out / f"{stem}.expected.png")
                cases.append({"input": f"{stem}.{ending}", "expected": f"{stem}.expected.png", "size": size})
    lines = ",\n".join(json.dumps(case) for case in cases)
    (arguments.out / "cases.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
