"""Check both recipes against the tools' own schemas, where those run without a GPU.

    pip install --no-deps --target TOOLS axolotl==0.19.0 unsloth==2026.10.9 trl==1.16.0 pillow datasets …
    PYTHONPATH=src:TOOLS python experiments/tuning/recipes/check.py

Axolotl's configuration is read by its own pydantic model, which ignores a name that it does not know, so the
names are compared with its fields as well. Unsloth cannot be imported without a GPU: the names of the two
calls' arguments are looked up in its source. TRL's settings are made in earnest.
"""

import ast
import importlib.metadata
import importlib.util
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import run  # noqa: E402

from ragvsft.tuning.lora.answering import sha256  # noqa: E402
from ragvsft.tuning.measured import RecipeRow  # noqa: E402

AXOLOTL, UNSLOTH = HERE / "axolotl.yaml", HERE / "unsloth_sft.py"


def arguments(source: str, call: str) -> dict[str, ast.expr]:
    """The named arguments of the first call of this name in a script."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == call:
            return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    raise ValueError(f"{call}: not called")


def parameters(source: str, name: str) -> set[str]:
    """The named parameters of every function of this name in a module's source."""
    functions = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name == name]
    return {a.arg for function in functions for a in (*function.args.args, *function.args.kwonlyargs)}


def unknown(recipe: str, modules: dict[str, str]) -> set[str]:
    """Named arguments of Unsloth's calls in a recipe that its source does not have; modules are its text."""
    return {
        f"{call}: {name}"
        for call, source in modules.items()
        for name in set(arguments(recipe, f"FastLanguageModel.{call}")) - parameters(source, call)
    }


def axolotl_row() -> RecipeRow:
    """Read the configuration by Axolotl's model; raises ValueError for a name or a value it does not take."""
    import yaml
    from axolotl.utils.schemas.config import AxolotlInputConfig

    settings: dict[str, Any] = yaml.safe_load(AXOLOTL.read_text(encoding="utf-8"))
    if strange := set(settings) - set(AxolotlInputConfig.model_fields):
        raise ValueError(f"{AXOLOTL.name}: {', '.join(sorted(strange))}: not a field of Axolotl's schema")
    AxolotlInputConfig.model_validate(settings)
    return row(AXOLOTL, "axolotl", "values and names, by its pydantic schema", len(settings))


def unsloth_rows() -> list[RecipeRow]:
    """Look up the names of Unsloth's arguments, and make TRL's settings."""
    from trl import SFTConfig

    recipe = UNSLOTH.read_text(encoding="utf-8")
    spec = importlib.util.find_spec("unsloth")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("unsloth: not installed")
    models = Path(spec.submodule_search_locations[0]) / "models"
    where = {"from_pretrained": "loader.py", "get_peft_model": "llama.py"}
    sources = {call: (models / name).read_text(encoding="utf-8") for call, name in where.items()}
    if strange := unknown(recipe, sources):
        raise ValueError(f"{UNSLOTH.name}: {', '.join(sorted(strange))}: not in Unsloth's source")
    named = sum(len(arguments(recipe, f"FastLanguageModel.{call}")) for call in where)
    settings = {name: ast.literal_eval(value) for name, value in arguments(recipe, "SFTConfig").items()}
    SFTConfig(**settings, use_cpu=True, bf16=False)
    return [
        row(UNSLOTH, "unsloth", "names, against its source", named),
        row(UNSLOTH, "trl", "values and names, by making its settings", len(settings)),
    ]


def row(recipe: Path, tool: str, how: str, settings: int) -> RecipeRow:
    """What was checked, and of which bytes."""
    return RecipeRow(
        recipe=recipe.name,
        tool=tool,
        version=importlib.metadata.version(tool),
        how=how,
        settings=settings,
        sha256=sha256(recipe),
        as_of=datetime.now(UTC).date().isoformat(),  # type: ignore[arg-type]
    )


if __name__ == "__main__":
    rows = [axolotl_row(), *unsloth_rows()]
    run.write_table(run.MEASURED / f"{RecipeRow.TABLE.removeprefix('measured/')}.csv", RecipeRow, rows)
    print(*rows, sep="\n")
