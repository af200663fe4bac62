"""Trains the demonstration model: a small CLIP on scenes rendered by `src/demo`, and writes it as a model directory.

    python3 test/reference/train_demo_model.py --out assets/demo-model

Needs PyTorch (1.13 or later), NumPy and Pillow, and Node with the packages of this repository. The pictures go through
CLIP's own preprocessing, half of them after a JPEG round trip. The loss is CLIP's symmetric cross-entropy. The defaults
made the committed model, whose README records the run. Batches are small and the activations short-lived, so glibc's
allocator spends a quarter of the time returning memory; MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ (both 4000000000)
keep it.
"""
import argparse
import copy
import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from demo_clip import CONFIG, Clip, normalise_pixels, save_model  # noqa: E402
from demo_vocabulary import Tokenizer, learn_merges, split_words  # noqa: E402

RENDERER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "render_demo_pairs.mjs")
WIDTH, HEIGHT, CROP = 96, 72, 64


def render(folder, kind, first, count, *options):
    """Renders scenes unless they lie there already; returns uint8 pictures [n, 64, 64, 3] and the lines about them."""
    name = os.path.join(folder, f"{kind}-{first}")
    if not os.path.exists(f"{name}.npy"):
        subprocess.run(["node", RENDERER, folder, kind, str(first), str(count), *map(str, options)], check=True)
        raw = np.memmap(f"{name}.rgb", np.uint8, "r").reshape(-1, HEIGHT, WIDTH, 3)
        np.save(f"{name}.npy", np.stack([preprocess(picture, index % 2 == 0) for index, picture in enumerate(raw)]))
        os.remove(f"{name}.rgb")
    with open(f"{name}.jsonl") as file:
        return np.load(f"{name}.npy"), [json.loads(line) for line in file]


def preprocess(picture, through_jpeg):
    """CLIP's resize (short side to 64, Pillow's bicubic) and centre crop, on 8-bit pixels."""
    image = Image.fromarray(picture)
    if through_jpeg:
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=90)
        image = Image.open(stream).convert("RGB")
    scale = CROP / min(image.size)
    image = image.resize((int(image.width * scale), int(image.height * scale)), Image.BICUBIC)
    left, top = round((image.width - CROP) / 2), round((image.height - CROP) / 2)
    return np.asarray(image.crop((left, top, left + CROP, top + CROP)))


def learn_vocabulary(folder, captions, merge_count):
    """Merges learnt from the captions; every phrase counts once more, so rare words are known as well."""
    subprocess.run(["node", RENDERER, folder, "phrases"], check=True)
    with open(os.path.join(folder, "phrases.txt")) as file:
        phrases = file.read().splitlines()
    counts = Counter(word for text in [*captions, *phrases] for word in split_words(text))
    return Tokenizer(learn_merges(counts, merge_count))


def encode_captions(tokenizer, captions, context):
    """Captions -> int16 tokens [n, context] padded with the end token, and the row of the first end token [n]."""
    tokens = np.full((len(captions), context), tokenizer.end, np.int16)
    ends = np.zeros(len(captions), np.int64)
    for index, caption in enumerate(captions):
        ids = [tokenizer.start, *tokenizer.encode(caption)]
        if len(ids) >= context:
            raise SystemExit(f"caption does not fit into {context} tokens: {caption}")
        tokens[index, : len(ids)] = ids
        ends[index] = len(ids)
    return tokens, ends


def text_features(model, tokens, ends):
    rows = int(ends.max()) + 1
    return model.text_features(torch.from_numpy(tokens[:, :rows].astype(np.int64)), torch.from_numpy(ends))


def train(model, pictures, tokens, ends, options):
    """CLIP's training: AdamW, warm-up and cosine decay. Returns the average of the weights over the last steps."""
    random = np.random.default_rng(options.seed)
    decayed = [p for name, p in model.named_parameters() if p.ndim > 1 and "embedding" not in name]
    embeddings = [p for name, p in model.named_parameters() if "text_model.embeddings" in name]
    rest = [p for p in model.parameters() if not any(p is q for q in decayed + embeddings)]
    optimiser = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": 0.1, "factor": 1.0},
            {"params": embeddings, "weight_decay": 0.0, "factor": options.embedding_factor},
            {"params": rest, "weight_decay": 0.0, "factor": 1.0},
        ],
        lr=options.lr, betas=(0.9, 0.98), eps=1e-6,
    )
    per_epoch = len(pictures) // options.batch
    steps, step, begun = options.epochs * per_epoch, 0, time.time()
    average = copy.deepcopy(model)
    for epoch in range(options.epochs):
        order, total = random.permutation(len(pictures)), 0.0
        for batch in order[: per_epoch * options.batch].reshape(per_epoch, -1):
            warm = min(1, (step + 1) / 200)
            for group in optimiser.param_groups:
                group["lr"] = options.lr * group["factor"] * warm * 0.5 * (1 + np.cos(np.pi * step / steps))
            row = batch * 4 + random.integers(0, 4, len(batch))
            by_length = np.argsort(ends[row], kind="stable")  # two lots of captions, so that there is less padding
            batch, row = batch[by_length], row[by_length]
            texts = torch.cat([text_features(model, tokens[part], ends[part]) for part in np.array_split(row, 2)])
            logits = model.logit_scale.exp() * model.image_features(normalise_pixels(pictures[batch])) @ texts.T
            target = torch.arange(len(batch))
            loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            with torch.no_grad():
                model.logit_scale.clamp_(max=float(np.log(options.largest_scale)))
                for slow, fast in zip(average.parameters(), model.parameters()):
                    slow.lerp_(fast, max(0.005, 1 / (step + 1)))
            total += loss.item()
            step += 1
        print(f"epoch {epoch + 1} loss {total / per_epoch:.3f} scale {model.logit_scale.exp().item():.1f} "
              f"{time.time() - begun:.0f} s", flush=True)
    return average


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True, help="model directory to write")
    parser.add_argument("--work", default="/tmp/demo-model", help="folder for rendered pairs, kept between runs")
    parser.add_argument("--pairs", type=int, default=24000)
    parser.add_argument("--feeling-rate", type=float, default=0.1)
    parser.add_argument("--feeling-alone-rate", type=float, default=0.5)
    parser.add_argument("--merges", type=int, default=440)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--embedding-factor", type=float, default=0.5, help="learning rate of the text embeddings")
    parser.add_argument("--largest-scale", type=float, default=100.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)

    half = options.pairs // 2
    with ThreadPoolExecutor(2) as pool:
        job = lambda first: render(options.work, "pairs", first, half, options.feeling_rate, options.feeling_alone_rate)
        parts = list(pool.map(job, (0, half)))
    pictures = np.concatenate([part[0] for part in parts])
    captions = [caption for part in parts for line in part[1] for caption in line["captions"]]
    tokenizer = learn_vocabulary(options.work, captions, options.merges)
    config = copy.deepcopy(CONFIG)
    config["text_config"]["vocab_size"] = len(tokenizer.ids)
    tokens, ends = encode_captions(tokenizer, captions, config["text_config"]["max_position_embeddings"])
    print(f"{len(pictures)} pictures, {len(captions)} captions of {ends.mean() - 1:.1f} tokens, "
          f"vocabulary {len(tokenizer.ids)}", flush=True)

    model = train(Clip(config), pictures, tokens, ends, options)
    os.makedirs(options.out, exist_ok=True)
    save_model(options.out, model)
    tokenizer.save(options.out)


if __name__ == "__main__":
    main()
