"""Random ViT CLIPs: the sizes of real and of tiny ones, and weights whose activations stay in a sensible range.

For fixtures that are small enough to commit, and for timing at full size without a checkpoint.
"""

import torch

from clip_reference import Weights

HEAD_WIDTH = 64  # in every ViT CLIP


def _config(hidden_act: str, joint: int, image: int, patch: int, vision: int, text: int, layers: int, vocabulary: int) -> dict:
    def tower(width: int) -> dict:
        return {
            "hidden_size": width,
            "intermediate_size": 4 * width,
            "num_attention_heads": width // HEAD_WIDTH,
            "num_hidden_layers": layers,
            "hidden_act": hidden_act,
            "layer_norm_eps": 1e-5,
        }

    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": joint,
        # Hugging Face takes an end id of 2 to mean "the highest id of the row", for CLIP's first checkpoints said 2 and meant that.
        "text_config": {**tower(text), "max_position_embeddings": 77, "vocab_size": vocabulary, "eos_token_id": 2},
        "vision_config": {**tower(vision), "image_size": image, "patch_size": patch},
    }


def tiny_config(hidden_act: str = "quick_gelu") -> dict:
    """Two layers a tower, 32-pixel images, 1,000 tokens."""
    return _config(hidden_act, joint=64, image=32, patch=8, vision=128, text=64, layers=2, vocabulary=1000)


def vit_b32_config() -> dict:
    """The sizes of CLIP ViT-B/32."""
    return _config("quick_gelu", joint=512, image=224, patch=32, vision=768, text=512, layers=12, vocabulary=49408)


def vit_b16_config() -> dict:
    """The sizes of CLIP ViT-B/16."""
    return _config("quick_gelu", joint=512, image=224, patch=16, vision=768, text=512, layers=12, vocabulary=49408)


def vit_l14_config() -> dict:
    """The sizes of CLIP ViT-L/14."""
    config = _config("quick_gelu", joint=768, image=224, patch=14, vision=1024, text=768, layers=12, vocabulary=49408)
    config["vision_config"]["num_hidden_layers"] = 24
    return config


def random_weights(config: dict, seed: int) -> Weights:
    """Every tensor of a CLIP of these sizes, float32, under its Hugging Face name."""
    text, vision = config["text_config"], config["vision_config"]
    generator = torch.Generator().manual_seed(seed)
    weights: Weights = {}

    def normal(name: str, *shape: int, deviation: float, mean: float = 0.0) -> None:
        weights[name] = mean + deviation * torch.randn(shape, generator=generator)

    def linear(name: str, outputs: int, inputs: int, bias: bool = True) -> None:
        normal(f"{name}.weight", outputs, inputs, deviation=inputs**-0.5)
        if bias:
            normal(f"{name}.bias", outputs, deviation=0.02)

    def layer_norm(name: str, width: int) -> None:
        normal(f"{name}.weight", width, deviation=0.1, mean=1.0)
        normal(f"{name}.bias", width, deviation=0.05)

    def blocks(tower_name: str, tower: dict) -> None:
        width = tower["hidden_size"]
        for layer in range(tower["num_hidden_layers"]):
            name = f"{tower_name}.encoder.layers.{layer}"
            for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
                linear(f"{name}.self_attn.{projection}", width, width)
            layer_norm(f"{name}.layer_norm1", width)
            layer_norm(f"{name}.layer_norm2", width)
            linear(f"{name}.mlp.fc1", tower["intermediate_size"], width)
            linear(f"{name}.mlp.fc2", width, tower["intermediate_size"])

    width, patch = vision["hidden_size"], vision["patch_size"]
    positions = (vision["image_size"] // patch) ** 2 + 1
    normal("vision_model.embeddings.class_embedding", width, deviation=0.5)
    normal("vision_model.embeddings.patch_embedding.weight", width, 3, patch, patch, deviation=(3 * patch**2) ** -0.5)
    normal("vision_model.embeddings.position_embedding.weight", positions, width, deviation=0.1)
    layer_norm("vision_model.pre_layrnorm", width)
    blocks("vision_model", vision)
    layer_norm("vision_model.post_layernorm", width)
    linear("visual_projection", config["projection_dim"], width, bias=False)

    width = text["hidden_size"]
    normal("text_model.embeddings.token_embedding.weight", text["vocab_size"], width, deviation=0.3)
    normal("text_model.embeddings.position_embedding.weight", text["max_position_embeddings"], width, deviation=0.1)
    blocks("text_model", text)
    layer_norm("text_model.final_layer_norm", width)
    linear("text_projection", config["projection_dim"], width, bias=False)
    weights["logit_scale"] = torch.tensor(3.0)
    return weights
