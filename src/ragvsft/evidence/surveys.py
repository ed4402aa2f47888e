"""What people say they do: adoption surveys, and the figures that are confused with the 57%."""

from typing import Literal

from pydantic import Field

from ragvsft.data import Row, Slug, Text, load
from ragvsft.evidence.published import Evidence
from ragvsft.formula import Quantity, maximum, minimum


class Survey(Row, table="surveys", key=("id",)):
    """A share that a survey or a study reported about what people do, or that is confused with one."""

    id: Slug = Field(description="Name of the row.")
    citation: Slug = Field(description="Key of references.bib.")
    group: Literal["57%", "adoption"] = Field(description="A candidate for the 57%, or other adoption data.")
    published: Text = Field(description="Year, month or day of publication.")
    fielded: str = Field(description="When it was asked, if known.")
    n: int | None = Field(gt=0, description="How many were asked or counted, if known.")
    population: Text = Field(description="Who or what was asked or counted.")
    measured: Text = Field(description="What the share is a share of.")
    share: float | None = Field(ge=0, le=1, description="The share, if one was given.")
    evidence: Evidence = Field(description="Read in the source, or in a text that quotes it.")


def surveys(group: Literal["57%", "adoption"]) -> tuple[Survey, ...]:
    """The surveys of one group, in file order."""
    return tuple(row for row in load("surveys") if row.group == group)


def joint_share(first: Quantity, second: Quantity) -> tuple[Quantity, Quantity]:
    """The least and the most that two shares of the same population can overlap (Fréchet's bounds)."""
    return maximum(0, first + second - 1), minimum(first, second)
