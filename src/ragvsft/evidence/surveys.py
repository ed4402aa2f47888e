"""What people say they do: adoption surveys, and the figures that are confused with the 57%."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from ragvsft.data import Row, Slug, Text, load
from ragvsft.evaluation.formulas import wilson_interval
from ragvsft.evidence.bibliography import Evidence, HowRead, evidence, require_locator
from ragvsft.formula import Quantity, maximum, minimum


class Survey(Row, table="surveys", key=("id",)):
    """A share that a survey or a study reported about what people do, or that is confused with one."""

    id: Slug = Field(description="Name of the row.")
    citation: Slug = Field(description="Key of references.bib.")
    group: Literal["57%", "adoption"] = Field(
        description="A candidate for the figure that the source document gives, or other adoption data."
    )
    published: Text = Field(description="Year, month or day of publication.")
    fielded: str = Field(description="When it was asked, if known.")
    n: int | None = Field(gt=0, description="How many were asked or counted, if known.")
    population: Text = Field(description="Who or what was asked or counted.")
    question: str = Field(description="What was asked, if it was seen.")
    measured: Text = Field(description="What the share is a share of.")
    share: float | None = Field(ge=0, le=1, description="The share, if one was given.")
    locator: str = Field(description="Where in the source; may be blank for a quotation only.")
    how_read: HowRead = Field(description="How the share was read.")

    @model_validator(mode="after")
    def _located(self) -> Self:
        require_locator(self.locator, self.how_read)
        return self

    @property
    def evidence(self) -> Evidence:
        """Primary or secondary, as `how_read` says."""
        return evidence(self.how_read)

    @property
    def interval(self) -> tuple[float, float] | None:
        """95% Wilson interval of the share, None without share or n. It cannot know who did not answer."""
        if self.share is None or self.n is None:
            return None
        low, high = wilson_interval(round(self.share * self.n), self.n)
        return float(low), float(high)


def surveys(group: Literal["57%", "adoption"]) -> tuple[Survey, ...]:
    """The surveys of one group, in file order."""
    return tuple(row for row in load("surveys") if row.group == group)


def joint_share(first: Quantity, second: Quantity) -> tuple[Quantity, Quantity]:
    """The least and the most that two shares of the same population can overlap (Fréchet's bounds)."""
    return maximum(0, first + second - 1), minimum(first, second)


def tag_shares(tag: Literal["fine-tuned", "rag"]) -> tuple[Survey, ...]:
    """Share of published case studies with this tag, a row a year, oldest first."""
    rows = [row for row in load("surveys") if re.fullmatch(rf"zenml-{tag}-\d{{4}}", row.id)]
    return tuple(sorted(rows, key=lambda row: row.id))
