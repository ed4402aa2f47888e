"""Train MiniLM's question side on fixed passage vectors. The only file of this experiment that imports torch.

Run as `python encoder_train.py FOLDER` by `encoder.py`, in the environment of experiments/tuning.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers


def embed(model: torch.nn.Module, ids: torch.Tensor) -> torch.Tensor:
    """Unit vectors, n × 384, of padded token ids, n × length; 0 is the padding."""
    ids = ids[:, : int((ids != 0).sum(dim=1).max())]
    mask = (ids != 0).float()
    states = model(input_ids=ids, attention_mask=mask).last_hidden_state
    mean = (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
    return torch.nn.functional.normalize(mean, dim=1)


def main(folder: Path) -> None:
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    with np.load(folder / "given.npz") as arrays:
        given = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    torch.set_num_threads(1)
    torch.manual_seed(settings["seed"])
    model = transformers.BertModel.from_pretrained(settings["model"], add_pooling_layer=False)
    model.embeddings.requires_grad_(False)
    optimiser = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=settings["rate"], weight_decay=0.01
    )
    model.train()
    for _ in range(settings["epochs"]):
        for batch in torch.randperm(len(given["questions"])).split(settings["batch"]):
            vectors = embed(model, given["questions"][batch])
            scores = vectors @ given["passages"].T / settings["temperature"]
            torch.nn.functional.cross_entropy(scores, given["gold"][batch]).backward()
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
    np.save(folder / "vectors.npy", embedded(model, given["asked"]))


def embedded(model: torch.nn.Module, ids: torch.Tensor) -> np.ndarray:
    """As `embed`, of many texts, short ones together."""
    model.eval()
    by_length = torch.argsort((ids != 0).sum(dim=1))
    with torch.no_grad():
        parts = [embed(model, ids[part]) for part in by_length.split(32)]
    vectors = np.empty((len(ids), parts[0].shape[1]), dtype=np.float32)
    vectors[by_length.numpy()] = torch.cat(parts).numpy()
    return vectors


if __name__ == "__main__":
    main(Path(sys.argv[1]))
