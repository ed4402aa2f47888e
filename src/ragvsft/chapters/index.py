"""The figures of the landing page."""

from ragvsft.costs import scenario


def horizon_usd(llm: str) -> dict[str, float | None]:
    """USD over the default horizon by option, on one language model; None for an option without a price."""
    return {row.option: row.horizon_usd for row in scenario.compare(scenario.from_keys({"llm": llm}))}
