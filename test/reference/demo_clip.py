"""CLIP (Radford et al., 2021) in PyTorch, with the parameter names of the Hugging Face layout, and its files."""
import json
import os
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

CONFIG = {
    "architectures": ["CLIPModel"],
    "model_type": "clip",
    "projection_dim": 128,
    "text_config": {
        "hidden_size": 128,
        "intermediate_size": 512,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "max_position_embeddings": 32,
        "vocab_size": 0,
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-05,
        "eos_token_id": 2,
    },
    "vision_config": {
        "hidden_size": 128,
        "intermediate_size": 512,
        "num_attention_heads": 2,
        "num_hidden_layers": 3,
        "image_size": 64,
        "patch_size": 16,
        "hidden_act": "quick_gelu",
        "layer_norm_eps": 1e-05,
    },
}


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, queries, x, mask):
        heads = lambda t: t.view(*t.shape[:2], self.heads, -1).transpose(1, 2)
        q, k, v = heads(self.q_proj(queries)), heads(self.k_proj(x)), heads(self.v_proj(x))
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        if mask is not None:
            scores = scores + mask
        return self.out_proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(queries.shape))


class Mlp(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x):
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["hidden_size"]
        self.self_attn = Attention(width, config["num_attention_heads"])
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = Mlp(width, config["intermediate_size"])

    def forward(self, x, mask=None, row=None):
        """All rows, or with `row` [batch] only that one of each sequence: [batch, 1, width]."""
        normal = self.layer_norm1(x)
        queries = normal
        if row is not None:
            each = torch.arange(len(x))
            queries, x = normal[each, row, None], x[each, row, None]
            mask = None if mask is None else mask[row][:, None, None]
        x = x + self.self_attn(queries, normal, mask)
        return x + self.mlp(self.layer_norm2(x))


class Encoder(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.layers = nn.ModuleList(Block(config) for _ in range(config["num_hidden_layers"]))

    def forward(self, x, row, mask=None):
        """The given row of each sequence after the last layer, which computes no other: [batch, width]."""
        for layer in self.layers[:-1]:
            x = layer(x, mask)
        return self.layers[-1](x, mask, row)[:, 0]


class TextTower(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["hidden_size"]
        self.embeddings = nn.ModuleDict({
            "token_embedding": nn.Embedding(config["vocab_size"], width),
            "position_embedding": nn.Embedding(config["max_position_embeddings"], width),
        })
        self.encoder = Encoder(config)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, embedded, end):
        """Token embeddings [batch, rows, width] and the row of the end token [batch] -> [batch, width]."""
        rows = embedded.shape[1]
        mask = torch.full((rows, rows), float("-inf")).triu(1)
        x = embedded + self.embeddings["position_embedding"].weight[:rows]
        return self.final_layer_norm(self.encoder(x, end, mask))


class VisionTower(nn.Module):
    def __init__(self, config):
        super().__init__()
        width, patch = config["hidden_size"], config["patch_size"]
        self.embeddings = nn.Module()
        self.embeddings.class_embedding = nn.Parameter(torch.zeros(width))
        self.embeddings.patch_embedding = nn.Conv2d(3, width, patch, patch, bias=False)
        self.embeddings.position_embedding = nn.Embedding((config["image_size"] // patch) ** 2 + 1, width)
        self.pre_layrnorm, self.post_layernorm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.encoder = Encoder(config)

    def forward(self, pixels):
        patches = self.embeddings.patch_embedding(pixels).flatten(2).transpose(1, 2)
        cls = self.embeddings.class_embedding.expand(len(pixels), 1, -1)
        x = torch.cat([cls, patches], 1) + self.embeddings.position_embedding.weight
        return self.post_layernorm(self.encoder(self.pre_layrnorm(x), torch.zeros(len(x), dtype=torch.long)))


class Clip(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.text_model, self.vision_model = TextTower(config["text_config"]), VisionTower(config["vision_config"])
        self.text_projection = nn.Linear(config["text_config"]["hidden_size"], config["projection_dim"], bias=False)
        self.visual_projection = nn.Linear(config["vision_config"]["hidden_size"], config["projection_dim"], bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())
        self.initialise()

    def initialise(self):
        """The original CLIP's scheme: widths and depths set the standard deviations, biases start at zero."""
        for tower in (self.text_model, self.vision_model):
            depth = len(tower.encoder.layers)
            for layer in tower.encoder.layers:
                width = layer.layer_norm1.weight.shape[0]
                for name, weight in layer.named_parameters():
                    if name.endswith("bias"):
                        nn.init.zeros_(weight)
                    elif "layer_norm" not in name:
                        residual = "out_proj" in name or "fc2" in name
                        nn.init.normal_(weight, std=width**-0.5 * ((2 * depth) ** -0.5 if residual else 1))
        nn.init.normal_(self.text_model.embeddings["token_embedding"].weight, std=0.02)
        nn.init.normal_(self.text_model.embeddings["position_embedding"].weight, std=0.01)
        vision = self.vision_model.embeddings
        nn.init.normal_(vision.class_embedding, std=128**-0.5)
        nn.init.normal_(vision.position_embedding.weight, std=128**-0.5)
        for projection in (self.text_projection, self.visual_projection):
            nn.init.normal_(projection.weight, std=projection.weight.shape[1] ** -0.5)

    def image_features(self, pixels):
        return F.normalize(self.visual_projection(self.vision_model(pixels)), dim=-1)

    def embedded_text_features(self, embedded, end):
        return F.normalize(self.text_projection(self.text_model(embedded, end)), dim=-1)

    def text_features(self, tokens, end):
        return self.embedded_text_features(self.text_model.embeddings["token_embedding"](tokens), end)


def normalise_pixels(pictures):
    """uint8 [n, 64, 64, 3] -> CLIP's normalised float [n, 3, 64, 64]."""
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073])
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711])
    return ((torch.from_numpy(np.ascontiguousarray(pictures)).float() / 255 - mean) / std).permute(0, 3, 1, 2)


def save_model(folder, model):
    """config.json and model.safetensors in half precision (format: github.com/huggingface/safetensors)."""
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(model.config, file, indent=1)
        file.write("\n")
    header, chunks, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, tensor in sorted(model.state_dict().items()):
        data = tensor.half().numpy().tobytes()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(data)]}
        chunks.append(data)
        offset += len(data)
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded + b"".join(chunks))


def load_model(folder):
    with open(os.path.join(folder, "config.json")) as file:
        model = Clip(json.load(file))
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    state = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data[begin:end], np.float16).astype(np.float32).reshape(entry["shape"])
            state[name] = torch.from_numpy(values)
    model.load_state_dict(state)
    return model
