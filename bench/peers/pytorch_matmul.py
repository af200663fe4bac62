#!/usr/bin/env python3
"""GFLOP/s of PyTorch's matrix product, x [m, k] times the transpose of a weight [n, k], on the CPU or a GPU. Prints one JSON line."""

import argparse
import json
import os
import time

import torch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("m", type=int)
    parser.add_argument("k", type=int)
    parser.add_argument("n", type=int)
    parser.add_argument("--seconds", type=float, default=0.5, help="how long to repeat it (default %(default)s)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    x, weight = torch.randn(options.m, options.k, device=options.device), torch.randn(options.n, options.k, device=options.device)
    wait = torch.cuda.synchronize if options.device != "cpu" else lambda: None
    for _ in range(2):
        torch.nn.functional.linear(x, weight)
    wait()
    times, start = 0, time.perf_counter()
    while (seconds := time.perf_counter() - start) < options.seconds or times < 3:
        for _ in range(1 if options.device == "cpu" else 50):
            torch.nn.functional.linear(x, weight)
            times += 1
        wait()
    rate = 2e-9 * options.m * options.k * options.n * times / seconds
    print(json.dumps({"peer": f"PyTorch {torch.__version__}", "unit": "GFLOP/s", "value": float(f"{rate:.4g}")}))


if __name__ == "__main__":
    main()
