"""evaluation.json files: one that the command could have written, and hostile ones with their fault."""

import copy
import json
from typing import Any

MARKUP = "<img src=x onerror=alert(1)></script>"


def _share(times: int, n: int, **names: Any) -> dict[str, Any]:
    share = times / n
    return {**names, "low": share * 0.8, "high": min(1.0, share * 1.1 + 0.01)}


def evaluation(judged: bool = True) -> dict[str, Any]:
    """What `ragvsft evaluate` writes: four methods, 40 questions; the answers of one model were judged."""
    methods = [
        {
            **_share(found, 40, method=method, found=found, found_share=found / 40),
            "ndcg_at_10": 0.5,
            "words_read": 120.0,
            "cpu_ms": 3.5,
        }
        for method, found in (("BM25", 21), ("dense", 30), ("fusion", 32), ("LambdaMART", 0))
    ]
    answers = [
        _share(19, 25, model=model, method="fusion", judge=MARKUP, answers=25, correct=19, correct_share=0.76)
        for model in ("GPT-OSS-20B", MARKUP)
    ]
    return {
        "schema": "ragvsft-evaluation-1",
        "embedder": MARKUP,
        "documents": 9,
        "passages": 80,
        "questions": 40,
        "tuned_on": 30,
        "k": 5,
        "methods": methods,
        "comparisons": [],
        "warnings": [f"40 questions cannot tell {MARKUP} from dense."],
        "judged_answers": answers if judged else None,
    }


def _with(path: str, value: Any) -> str:
    given = copy.deepcopy(evaluation())
    at: Any = given
    *outer, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in outer:
        at = at[part]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return json.dumps(given)


HOSTILE: dict[str, tuple[str, str]] = {
    "nothing": ("", "not JSON"),
    "no JSON": ("schema = 1", "not JSON"),
    "cut off": (json.dumps(evaluation())[:-40], "not JSON"),
    "a list": ("[1, 2]", "schema"),
    "a number": ("7", "schema"),
    "null": ("null", "schema"),
    "not a number": (_with("questions", 40).replace('"questions": 40', '"questions": NaN'), "not JSON"),
    "too deep": ("[" * 200_000, "not JSON"),
    "another schema": (_with("schema", "ragvsft-evaluation-9"), "schema"),
    "no questions": (_with("questions", 0), "questions"),
    "questions as text": (_with("questions", "40"), "questions"),
    "half a question": (_with("questions", 40.5), "questions"),
    "k missing": (_with("k", None), "k"),
    "no method": (_with("methods", []), "methods"),
    "methods as text": (_with("methods", "BM25"), "methods"),
    "a method that is none": (_with("methods.1", 5), "methods[1]"),
    "too many methods": (_with("methods", evaluation()["methods"] * 9), "methods"),
    "a method twice": (_with("methods.1.method", "BM25"), "methods[1].method"),
    "markup as method": (_with("methods.0.method", MARKUP), "methods[0].method"),
    "more found than asked": (_with("methods.0.found", 41), "methods[0].found"),
    "a share above one": (_with("methods.2.found_share", 1.5), "methods[2].found_share"),
    "a share that is another": (_with("methods.2.found_share", 0.1), "methods[2].found_share"),
    "share missing": (_with("methods.2.found_share", None), "methods[2].found_share"),
    "low above": (_with("methods.0.low", 0.9), "methods[0].low"),
    "low of nothing": (_with("methods.0.low", 0), "methods[0].low"),
    "infinite": (_with("methods.0.high", 7).replace('"high": 7', '"high": 1e999'), "methods[0].high"),
    "model too long": (_with("judged_answers.0.model", "m" * 101), "judged_answers[0].model"),
    "model as number": (_with("judged_answers.0.model", 3), "judged_answers[0].model"),
    "more correct than judged": (_with("judged_answers.1.correct", 26), "judged_answers[1].correct"),
    "judged as text": (_with("judged_answers", "all"), "judged_answers"),
    "warnings as number": (_with("warnings", 4), "warnings"),
    "warning too long": (_with("warnings.0", "w" * 1_001), "warnings[0]"),
}
"""Name → a file's text, and how the message about it begins or what it holds."""

HUGE = json.dumps(evaluation()).replace("40 questions", "4" * 1_000_001)
