"""Reads and writes the safetensors format: 8-byte little-endian header length, JSON header, raw little-endian data.

A few lines of our own, so that the reference needs PyTorch and nothing else. Format: the README of huggingface/safetensors.
"""

import json
import struct
from pathlib import Path
from typing import Dict, Union

import numpy as np
import torch

_NUMPY_OF = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U8": "|u1"}
_CODE_OF = {np.dtype(code): name for name, code in _NUMPY_OF.items()}


def load(path: Union[str, Path]) -> Dict[str, torch.Tensor]:
    """Every tensor of the file, in its stored type and shape."""
    data = Path(path).read_bytes()
    (header_length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + header_length])
    body = memoryview(data)[8 + header_length :]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        # PyTorch wants memory it may write to, hence the copy.
        array = np.frombuffer(body[start:end], _NUMPY_OF[entry["dtype"]]).reshape(entry["shape"]).copy()
        tensors[name] = torch.from_numpy(array)
    return tensors


def save(path: Union[str, Path], tensors: Dict[str, torch.Tensor]) -> None:
    """Writes the tensors in the order given. The header is padded with spaces so that the data starts 8-byte aligned."""
    header, chunks, offset = {}, [], 0
    for name, tensor in tensors.items():
        is_bfloat16 = tensor.dtype == torch.bfloat16
        tensor = tensor.detach().cpu().contiguous()
        # `ascontiguousarray` would turn a scalar into a vector of one. NumPy has no bfloat16, so its bits go as integers.
        array = (tensor.view(torch.int16) if is_bfloat16 else tensor).numpy()
        chunk = array.tobytes()
        header[name] = {
            "dtype": "BF16" if is_bfloat16 else _CODE_OF[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(chunk)],
        }
        chunks.append(chunk)
        offset += len(chunk)
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(encoded)) + encoded + b"".join(chunks))
