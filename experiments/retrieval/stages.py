"""The stages of the experiment by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import chunking
import citations
import deletion
import encoder
import generated
import growth
import keyword_tools
import learning
import ranking
from part import Results

__all__ = ["STAGES", "Results"]

STAGES: dict[str, Callable[[Path], Results]] = {
    "ranking": ranking.run,
    "deletion": deletion.run,
    "keyword_tools": keyword_tools.run,
    "learning": learning.run,
    "citations": citations.run,
    "chunking": chunking.run,
    "growth": growth.run,
    "encoder": encoder.run,
    "generated": generated.run,
}
