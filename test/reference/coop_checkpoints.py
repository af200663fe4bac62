"""Checkpoints as CoOp's and CoCoOp's published trainings save them, and the logits of their prompts: test/fixtures/learners/coop.

    python3 test/reference/coop_checkpoints.py                                   writes the fixtures
    python3 test/reference/coop_checkpoints.py --exported FILE.npz CASE          checks what `ptdpc export` writes of a case

Every text is computed in full, all 77 positions, on the tiny CLIP. The second form is the loader of docs/checkpoints.md.
"""

import argparse
import collections
from pathlib import Path

import numpy as np
import torch

import safetensors_io
from clip_reference import Clip

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
FOLDER = FIXTURES / "learners" / "coop"
SOT, EOT, STOP = 998, 999, 269
# awe, great joy, sadness: in the vocabulary of the command line's tests.
CLASSES = ((855,), (70, 81, 68, 522, 596), (551, 937))
IMAGES, EPOCH = 5, 3
CASES = {
    "coop": {"tokens": 4, "place": "end"},
    "specific": {"tokens": 3, "place": "middle", "specific": True},
    "cocoop": {"tokens": 4, "place": "end", "hidden": 4},
}


def text_features(clip, ctx, place):
    """ctx [C, M, D] -> [C, J], normalised."""
    rows, ends = [], []
    for tokens, word in zip(ctx, CLASSES):
        at = {"end": 0, "middle": len(tokens) - len(tokens) // 2, "front": len(tokens)}[place]
        before, after = tokens[: len(tokens) - at], tokens[len(tokens) - at :]
        embed = lambda ids: clip.token_embedding[list(ids)]
        row = torch.cat([embed([SOT]), before, embed(word), after, embed([STOP, EOT])])
        ends.append(len(row) - 1)
        rows.append(torch.cat([row, embed([0] * (77 - len(row)))]))
    features = clip.encode_embedded_text(torch.stack(rows), torch.tensor(ends))
    return features / features.norm(dim=-1, keepdim=True)


def logits_of(clip, case, state, features):
    ctx = state["ctx"].double()
    ctx = ctx if ctx.dim() == 3 else ctx.expand(len(CLASSES), -1, -1)
    if "hidden" not in case:
        return clip.logit_scale * features @ text_features(clip, ctx, case["place"]).t()
    w = {name: tensor.double() for name, tensor in state.items()}
    rows = []
    for f in features:
        hidden = torch.relu(w["meta_net.linear1.weight"] @ f + w["meta_net.linear1.bias"])
        shift = w["meta_net.linear2.weight"] @ hidden + w["meta_net.linear2.bias"]
        rows.append(clip.logit_scale * text_features(clip, ctx + shift, case["place"]) @ f)
    return torch.stack(rows)


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    clip = Clip.load(FIXTURES / "clip-tiny", torch.float64)
    width = clip.token_embedding.shape[1]
    features = torch.randn(IMAGES, width, dtype=torch.float64)
    features = features / features.norm(dim=-1, keepdim=True)
    expected = {"features": features.float()}
    for name, case in CASES.items():
        tokens = case["tokens"]
        ids = torch.zeros(len(CLASSES), 77, dtype=torch.long)
        for i, word in enumerate(CLASSES):
            # Where the context will stand, the published code tokenises "X X X X".
            row = [SOT, *[343] * tokens, *word, STOP, EOT]
            ids[i, : len(row)] = torch.tensor(row)
        embedding = clip.token_embedding[ids].half()
        shape = (len(CLASSES), tokens, width) if case.get("specific") else (tokens, width)
        state = collections.OrderedDict(ctx=(0.02 * torch.randn(shape)).half())
        state["token_prefix"], state["token_suffix"] = embedding[:, :1].clone(), embedding[:, 1 + tokens :].clone()
        if "hidden" in case:
            for key, size in (("linear1", (case["hidden"], width)), ("linear2", (width, case["hidden"]))):
                state[f"meta_net.{key}.weight"] = (0.1 * torch.randn(size)).half()
                state[f"meta_net.{key}.bias"] = (0.01 * torch.randn(size[0])).half()
        parameter = torch.nn.Parameter(state["ctx"].clone())
        optimizer = torch.optim.SGD([parameter], lr=0.002, momentum=0.9, weight_decay=5e-4)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50)
        checkpoint = {
            **{"state_dict": state, "epoch": EPOCH, "optimizer": optimizer.state_dict()},
            **{"scheduler": {"successor": scheduler, **scheduler.state_dict()}, "val_result": None},
        }
        torch.save(checkpoint, FOLDER / f"{name}.pth.tar-{EPOCH}")
        expected[f"{name}.logits"] = logits_of(clip, case, state, features).float()
    safetensors_io.save(FOLDER / "expected.safetensors", expected)


def check(path: str, case: str) -> None:
    clip = Clip.load(FIXTURES / "clip-tiny", torch.float32)
    expected = safetensors_io.load(FOLDER / "expected.safetensors")
    d = np.load(path)
    ids, learned = torch.tensor(d["token_ids"]).long(), torch.tensor(d["learned"]).long()
    x = clip.token_embedding[ids]
    tokens = torch.tensor(d["prompts"]).expand(len(ids), -1, -1)
    row, at = torch.where(learned >= 0)
    x[row, at] = tokens[row, learned[row, at]]
    t = clip.encode_embedded_text(x, torch.tensor(d["eot"]).long())
    t = t / t.norm(dim=-1, keepdim=True)
    logits = d["logit_scale"].item() * expected["features"] @ t.t()
    error = (logits - expected[f"{case}.logits"]).abs().max().item()
    print(f"{case}: classes {', '.join(d['classes'])}; largest difference of the logits {error:.1e}")
    assert error < 1e-4


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--exported", nargs=2, metavar=("FILE", "CASE"))
    arguments = parser.parse_args()
    torch.manual_seed(0)
    check(*arguments.exported) if arguments.exported else write()
