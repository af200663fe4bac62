"""Writes `test/fixtures/checkpoint/`: small files as PyTorch really saves them, and what is in them (`expected.json`).

    /usr/bin/python3 test/reference/make_checkpoint_fixtures.py

They cover what the CLIP fixtures do not: views, every storage type, pickle protocols 2, 4 and 5, wrapped checkpoints,
TorchScript module trees with shared and nested modules, the format from before PyTorch 1.6, a state_dict deep among objects of Python, and
a module saved whole.
"""

import argparse
import collections
import json
import pathlib
from pathlib import Path
from typing import Dict, List

import numpy as np
import torch

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "checkpoint"


def views() -> dict:
    """Tensors that are not simply a whole storage in order, and one of each storage type."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    return {
        "base": base,
        "transposed": base.t(),
        "rows": base[1:3],
        "columns": base[:, 2:5],
        "every_other": base[::2, ::3],
        "permuted": torch.arange(24, dtype=torch.float16).reshape(2, 3, 4).permute(2, 0, 1),
        "expanded": torch.tensor([1.5, -2.5]).expand(3, 2),
        "one_row": base[2:3].t()[:, 0],
        "scalar": torch.tensor(2.6592),
        "empty": torch.zeros(0, 5),
        "parameter": torch.nn.Parameter(torch.tensor([0.25, 0.5])),
        "__proto__": torch.tensor([7.0]),
        "constructor": torch.tensor([8.0]),
        "f64": torch.tensor([1 / 3, -1e300], dtype=torch.float64),
        "f16": torch.tensor([1 / 3, 65504.0, 6e-8], dtype=torch.float16),
        "bf16": torch.tensor([1 / 3, 3e38, -0.0], dtype=torch.bfloat16),
        "i64": torch.tensor([-1, 2**40], dtype=torch.int64),
        "i32": torch.tensor([-1, 2**30], dtype=torch.int32),
        "i16": torch.tensor([-1, 300], dtype=torch.int16),
        "i8": torch.tensor([-1, 100], dtype=torch.int8),
        "u8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False]),
    }


class Inner(torch.nn.Module):
    def __init__(self, start: float):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.arange(start, start + 6).reshape(2, 3))
        self.register_buffer("steps", torch.tensor(3))

    def forward(self, x):
        return x @ self.weight.t()


class Outer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = torch.nn.ModuleList([Inner(0.0), Inner(10.0)])
        self.tied = self.blocks[0]
        self.gain = torch.nn.Parameter(torch.tensor([0.5, 1.5], dtype=torch.float16))
        self.sizes = torch.jit.Attribute([1, 2, 3], List[int])
        self.table = torch.jit.Attribute({"a": 1.0}, Dict[str, float])
        self.scale = 2.0

    def forward(self, x):
        for block in self.blocks:
            x = block(x) * self.scale
            x = torch.cat([x, x[:, :1]], 1)
        return x


def describe(tensors: dict) -> dict:
    """Shape and values; 64-bit integers as text, since JSON numbers stop at 2^53."""
    described = {}
    for name, tensor in tensors.items():
        values = tensor.detach().to(torch.float64 if tensor.is_floating_point() else tensor.dtype).reshape(-1).tolist()
        if tensor.dtype == torch.int64:
            values = [str(value) for value in values]
        described[name] = {"shape": list(tensor.shape), "values": [int(v) if isinstance(v, bool) else v for v in values]}
    return described


def arrays() -> dict:
    """What `numpy.savez` makes of the arrays of `npy.test.ts`."""
    return {
        "numbers": np.arange(6, dtype="<f4").reshape(2, 3) / 4,
        "whole": np.arange(5, dtype="<i4") - 2,
        "texts": np.array(["a", "émoi", "😀 x", ""]),
        "one": np.array("one"),
        "none": np.zeros((0, 4), "<f4"),
    }


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    np.savez(FOLDER / "arrays.npz", **arrays())
    torch.save(views(), FOLDER / "views.pt")
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
    with torch.no_grad():
        for start, parameter in enumerate(model.parameters()):
            parameter.copy_(torch.arange(parameter.numel()).reshape(parameter.shape) + start / 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    checkpoint = {"epoch": 3, "name": "tiny", "state_dict": model.state_dict(), "optimizer": optimizer.state_dict()}
    plain = model.state_dict()
    for protocol in (2, 4, 5):
        torch.save(checkpoint, FOLDER / f"wrapped_protocol{protocol}.pt", pickle_protocol=protocol)
    extras = {
        "best": np.float64(0.5),
        "curve": np.arange(3.0),
        "generator": np.random.RandomState(0).get_state(),
        "where": pathlib.PurePosixPath("runs/1"),
        "options": argparse.Namespace(lr=0.1, names={"a", "b"}),
        "window": slice(1, None, 2),
        "frozen": frozenset([1, 2]),
        "counts": collections.Counter("hello"),
        "by_name": collections.defaultdict(list, {"x": [1]}),
        "schedule": torch.optim.lr_scheduler.StepLR(optimizer, 1),
        "optimizer": optimizer,
        "complex": torch.ones(2, dtype=torch.complex64),
    }
    for protocol in (2, 4):
        nested = {**extras, "checkpoint": {"net": plain, "step": np.int64(7)}}
        torch.save(nested, FOLDER / f"extras_protocol{protocol}.pt", pickle_protocol=protocol)
    torch.save({"epoch": 1, "model": model}, FOLDER / "module.pt")
    torch.save(plain, FOLDER / "before_1_6.pt", _use_new_zipfile_serialization=False)
    scripted = torch.jit.script(Outer())
    scripted.save(str(FOLDER / "modules.ts.pt"))
    expected = {
        "views.pt": describe(views()),
        "wrapped": describe(plain),
        "modules.ts.pt": describe(scripted.state_dict()),
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
