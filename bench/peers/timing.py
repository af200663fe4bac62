"""What the PyTorch peers share: a random ViT-B/32 in inference mode, a stopwatch, and the line that a result is."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Callable

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "reference"))

from clip_reference import Clip  # noqa: E402
from random_clip import random_weights, vit_b32_config  # noqa: E402


def arguments(description: str, batch: int, iterations: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=batch, help="images at a time (default %(default)s)")
    parser.add_argument("--iterations", type=int, default=iterations, help="timed runs (default %(default)s)")
    parser.add_argument("--warmup", type=int, default=1, help="runs before those (default %(default)s)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda (default %(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="CPU threads (default %(default)s)")
    return parser


def random_vit_b32(options: argparse.Namespace) -> Clip:
    torch.set_num_threads(options.threads)
    config = vit_b32_config()
    weights = {name: tensor.to(options.device) for name, tensor in random_weights(config, seed=0).items()}
    return Clip(config, weights)


def report(work: str, options: argparse.Namespace, run: Callable[[], object]) -> None:
    """Times `run`, which handles one batch, and prints images per second as one JSON line. The median run counts."""
    for _ in range(options.warmup):
        run()
    seconds = []
    for _ in range(options.iterations):
        start = time.perf_counter()
        run()
        if options.device != "cpu":  # launches return before the work is done
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    median = sorted(seconds)[len(seconds) // 2]
    name = f"cpu, {options.threads} threads" if options.device == "cpu" else torch.cuda.get_device_name()
    row = {
        "work": work,
        "peer": f"PyTorch {torch.__version__}",
        "device": name,
        "unit": "images/s",
        "value": float(f"{options.batch / median:.4g}"),
        "batch": options.batch,
    }
    print(json.dumps(row), flush=True)
