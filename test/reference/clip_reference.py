"""CLIP with two vision-transformer towers, as plain functions over a dictionary of Hugging Face tensor names.

The yardstick for `src/clip`: written for reading, not for speed. Architecture: Radford et al. 2021, "Learning Transferable
Visual Models From Natural Language Supervision"; names and layout: Hugging Face `CLIPModel`. Every sequence is computed in
full, all 77 positions where 77 are given, so it is also the naive computation that the TypeScript savings are held against.
"""

import json
from pathlib import Path
from typing import Dict, Union

import torch
import torch.nn.functional as F

import safetensors_io

Weights = Dict[str, torch.Tensor]


class Clip:
    """A frozen checkpoint in one floating-point type.

    Shapes below: B images, N texts, T tokens, D joint width, W the width of the tower at hand.
    """

    def __init__(self, config: dict, weights: Weights, dtype: torch.dtype = torch.float32):
        self.config = config
        self.dtype = dtype
        self.weights = {
            name: tensor.to(dtype) for name, tensor in weights.items() if not name.endswith("position_ids")
        }

    @classmethod
    def load(cls, directory: Union[str, Path], dtype: torch.dtype = torch.float32) -> "Clip":
        """Reads `config.json` and `model.safetensors` of a model directory."""
        directory = Path(directory)
        config = json.loads((directory / "config.json").read_text())
        return cls(config, safetensors_io.load(directory / "model.safetensors"), dtype)

    @property
    def token_embedding(self) -> torch.Tensor:
        """[vocabulary, W] without positions, which the tower adds."""
        return self.weights["text_model.embeddings.token_embedding.weight"]

    @property
    def logit_scale(self) -> torch.Tensor:
        """The factor itself: the checkpoint stores its logarithm."""
        return self.weights["logit_scale"].exp()

    def encode_image(self, pixels: torch.Tensor) -> Dict[str, torch.Tensor]:
        """[B, 3, S, S] normalised pixels -> `pooled` [B, W] (the CLS row after ln_post) and `features` [B, D], not normalised."""
        w, tower = self.weights, self.config["vision_config"]
        patch_kernel = w["vision_model.embeddings.patch_embedding.weight"]
        patches = F.conv2d(pixels.to(self.dtype), patch_kernel, stride=tower["patch_size"])
        patches = patches.flatten(2).transpose(1, 2)
        cls = w["vision_model.embeddings.class_embedding"].expand(patches.shape[0], 1, -1)
        x = torch.cat([cls, patches], dim=1) + w["vision_model.embeddings.position_embedding.weight"]
        x = self._layer_norm(x, "vision_model.pre_layrnorm", tower)
        x = self._blocks(x, "vision_model", tower, causal=False)
        pooled = self._layer_norm(x[:, 0], "vision_model.post_layernorm", tower)
        return {"pooled": pooled, "features": pooled @ w["visual_projection.weight"].t()}

    def encode_embedded_text(self, embedded: torch.Tensor, eot: torch.Tensor) -> torch.Tensor:
        """[N, T, W] token embeddings without positions, [N] index of the EOT row -> [N, D] features, not normalised.

        Rows after EOT change nothing: attention is causal. Differentiable in `embedded`.
        """
        w, tower = self.weights, self.config["text_config"]
        positions = w["text_model.embeddings.position_embedding.weight"]
        x = embedded + positions[: embedded.shape[1]]
        x = self._blocks(x, "text_model", tower, causal=True)
        x = self._layer_norm(x, "text_model.final_layer_norm", tower)
        return x[torch.arange(x.shape[0], device=x.device), eot] @ w["text_projection.weight"].t()

    def encode_text(self, token_ids: torch.Tensor) -> torch.Tensor:
        """[N, T] token ids, padded with 0 -> [N, D] features, not normalised. EOT is the highest id of a row."""
        ids = token_ids.long()
        return self.encode_embedded_text(self.token_embedding[ids], ids.argmax(dim=1))

    def logits_per_image(self, image_features: torch.Tensor, text_features: torch.Tensor) -> torch.Tensor:
        """[B, D], [N, D] (either may be unnormalised) -> [B, N] scaled cosine similarities."""
        return self.logit_scale * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).t()

    def _blocks(self, x: torch.Tensor, tower_name: str, tower: dict, causal: bool) -> torch.Tensor:
        for layer in range(tower["num_hidden_layers"]):
            name = f"{tower_name}.encoder.layers.{layer}"
            x = x + self._attention(self._layer_norm(x, f"{name}.layer_norm1", tower), f"{name}.self_attn", tower, causal)
            x = x + self._mlp(self._layer_norm(x, f"{name}.layer_norm2", tower), f"{name}.mlp", tower)
        return x

    def _attention(self, x: torch.Tensor, name: str, tower: dict, causal: bool) -> torch.Tensor:
        batch, length, width = x.shape
        heads = tower["num_attention_heads"]

        def split(projection: str) -> torch.Tensor:
            return self._linear(x, f"{name}.{projection}").view(batch, length, heads, -1).transpose(1, 2)

        q, k, v = split("q_proj"), split("k_proj"), split("v_proj")
        scores = q @ k.transpose(-1, -2) / (width // heads) ** 0.5
        if causal:
            future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
            scores = scores.masked_fill(future, float("-inf"))
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, length, width)
        return self._linear(mixed, f"{name}.out_proj")

    def _mlp(self, x: torch.Tensor, name: str, tower: dict) -> torch.Tensor:
        hidden = self._linear(x, f"{name}.fc1")
        activation = tower["hidden_act"]
        if activation == "quick_gelu":
            hidden = hidden * torch.sigmoid(1.702 * hidden)
        elif activation == "gelu":
            hidden = F.gelu(hidden)
        else:
            raise ValueError(f"config.json: hidden_act is '{activation}', expected 'quick_gelu' or 'gelu'")
        return self._linear(hidden, f"{name}.fc2")

    def _linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def _layer_norm(self, x: torch.Tensor, name: str, tower: dict) -> torch.Tensor:
        scale, shift = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return F.layer_norm(x, scale.shape, scale, shift, tower["layer_norm_eps"])
