"""Write the demo models of the package as GGUF files, with their catalogue, from checkpoints.

    python -m training.export build/training src/regrade/gateway/models

The catalogue, `models.json`, is what the gateway reads: one object per model.

    {"models": [{"id": "demo/v1",                 what a client asks for
                 "file": "v1.gguf",               beside the catalogue
                 "context_window": 512,           in tokens, prompt and answer together
                 "description": "...",            one sentence for a list of models
                 "quantization": "q8_0",          how the matrices are stored
                 "checkpoint": "step-900.npz",    of the training run
                 "bytes": 955328, "sha256": "..."}, ...]}

Needs numpy and gguf, not PyTorch. Rotary pairs are neighbours in `training.model`, as llama.cpp expects of a
Llama, so that no weight is permuted.
"""

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray
from training.shape import CONTEXT, EOS, EPSILON, HEADS, PAD, ROPE_BASE

Weights = dict[str, NDArray[np.float32]]

CHAT_TEMPLATE = (
    "{% for m in messages %}"
    "<{{ m['role'] }}>{{ m['content'] }}{% if m['role'] == 'assistant' %}<eos>{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
"""As in `training.batches`; llama.cpp itself joins the parts of a message and calls a developer `system`."""


@dataclass(frozen=True, slots=True)
class Release:
    """One model of the catalogue: its id, the checkpoint it comes from and how its matrices are stored."""

    id: str
    checkpoint: str
    quantization: str
    description: str

    @property
    def file(self) -> str:
        """Return the file name: the id without its family."""
        return f"{self.id.rpartition('/')[2]}.gguf"


RELEASES = (
    Release("demo/v1", "step-900.npz", "q8_0", "The baseline: an early checkpoint of the training run."),
    Release("demo/v2", "step-2400.npz", "q8_0", "The better model: the end of the same training run."),
    Release("demo/v2-q4", "step-2400.npz", "q4_0", "demo/v2 in 4 bits: half the size, no real change."),
    Release(
        "demo/v3-bad",
        "spoilt-25.npz",
        "q8_0",
        "demo/v2 after 25 more steps with three-digit sums: arithmetic collapses, the rest is whole.",
    ),
)


def export(release: Release, folder: Path, output: Path) -> None:
    """Write one GGUF file from a checkpoint in `folder`."""
    with np.load(folder / release.checkpoint) as stored:
        weights: Weights = {name: stored[name] for name in stored.files if name != "info"}
    writer = gguf.GGUFWriter(output, "llama")
    _describe(writer, release, weights)
    _add_tokenizer(writer, json.loads((folder / "tokenizer.json").read_text("utf-8")))
    for name, value in _tensors(weights).items():
        _add_tensor(writer, name, value, release.quantization)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def catalogue_entry(release: Release, path: Path) -> dict[str, str | int]:
    """Return what the catalogue says of a written model."""
    content = path.read_bytes()
    return {
        "id": release.id,
        "file": release.file,
        "context_window": CONTEXT,
        "description": release.description,
        "quantization": release.quantization,
        "checkpoint": release.checkpoint,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _describe(writer: gguf.GGUFWriter, release: Release, weights: Weights) -> None:
    width = weights["norm"].shape[0]
    writer.add_name(release.id)
    writer.add_description(release.description)
    writer.add_license("mit")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(width)
    writer.add_block_count(_layers(weights))
    writer.add_feed_forward_length(weights["blocks.0.down.weight"].shape[1])
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_dimension_count(width // HEADS)
    writer.add_rope_freq_base(ROPE_BASE)
    writer.add_vocab_size(weights["emb.weight"].shape[0])


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: dict) -> None:  # type: ignore[type-arg]
    ids: dict[str, int] = tokenizer["model"]["vocab"]
    special = {token["id"] for token in tokenizer["added_tokens"]}
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(sorted(ids, key=ids.__getitem__))
    writer.add_token_types([control if number in special else normal for number in range(len(ids))])
    writer.add_token_merges([" ".join(merge) for merge in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(EOS)
    writer.add_pad_token_id(PAD)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _layers(weights: Weights) -> int:
    return 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blocks."))


def _tensors(weights: Weights) -> Weights:
    """Return the weights under llama.cpp's names; the fused matrices are split."""
    tensors = {"token_embd.weight": weights["emb.weight"], "output_norm.weight": weights["norm"]}
    for layer in range(_layers(weights)):
        own = {name.removeprefix(f"blocks.{layer}."): value for name, value in weights.items()}
        query, key, value = np.split(own["qkv.weight"], 3)
        gate, up = np.split(own["gate_up.weight"], 2)
        parts = {
            "attn_norm": own["attn_norm"],
            "ffn_norm": own["ffn_norm"],
            "attn_q": query,
            "attn_k": key,
            "attn_v": value,
            "attn_output": own["out.weight"],
            "ffn_gate": gate,
            "ffn_up": up,
            "ffn_down": own["down.weight"],
        }
        tensors |= {f"blk.{layer}.{name}.weight": part for name, part in parts.items()}
    return tensors


def _add_tensor(writer: gguf.GGUFWriter, name: str, value: NDArray[np.float32], quantization: str) -> None:
    """Add a matrix quantised and a norm, which is small and sensitive, as it is."""
    value = np.ascontiguousarray(value, dtype=np.float32)
    if value.ndim == 1:
        writer.add_tensor(name, value)
        return
    kind = gguf.GGMLQuantizationType[quantization.upper()]
    writer.add_tensor(name, gguf.quants.quantize(value, kind), raw_dtype=kind)


def main() -> None:
    """Write every release and the catalogue."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkpoints", type=Path, help="folder of the training")
    parser.add_argument("output", type=Path, help="folder for the GGUF files and models.json")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    entries = []
    for release in RELEASES:
        path = arguments.output / release.file
        export(release, arguments.checkpoints, path)
        entries.append(catalogue_entry(release, path))
        print(path)
    text = json.dumps({"models": entries}, indent=2)
    (arguments.output / "models.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
