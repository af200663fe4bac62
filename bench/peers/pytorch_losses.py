#!/usr/bin/env python3
"""Losses of PT-DPC in PyTorch on a given model and batch: pytorch_losses.py <task.json>. Prints one JSON line.

The task names a model directory and holds token ids, image features, labels and the number of steps (preset `paper`, mode `both`).
"""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "reference"))

from clip_reference import Clip  # noqa: E402
from ptdpc_reference import PRESETS, PtDpc, Vocabulary, train  # noqa: E402


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text())
    model = PtDpc(Clip.load(task["model"]), Vocabulary(**task["text"]), PRESETS["paper"], "both")
    features = torch.tensor(task["features"])
    run = train(model, features, torch.tensor(task["labels"]), task["steps"])
    print(json.dumps({"value": run.losses[-1], "losses": run.losses}))


if __name__ == "__main__":
    main()
