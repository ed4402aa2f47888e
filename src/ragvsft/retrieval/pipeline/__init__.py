"""A real retrieval pipeline, small enough to read: load, chunk, embed, store, search, rerank, answer.

Needs the extra `retrieval` and the model of `requirements-models.txt`. Nothing here is imported by the light
parts of the package, and every heavy library is imported inside the function that uses it.
"""


class PipelineError(ValueError):
    """Bad input, a missing part or a dead server. The message names what, its value and what it must be."""
