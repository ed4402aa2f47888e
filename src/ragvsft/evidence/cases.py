"""What teams did: public cases, told by those who built them."""

from typing import Literal, cast

from pydantic import Field

from ragvsft.data import Row, Source, Text, Words, load
from ragvsft.evidence.bibliography import Evidence, HowRead, evidence

Kept = Literal["prompting", "RAG", "RAG, tuned retriever", "agentic search", "fine-tuned", "both", "other"]


class Case(Row, table="cases", key=("organisation", "task")):
    """A team that told what it tried and what it kept. All are successes told by their makers."""

    organisation: Text = Field(description="Who.")
    task: Text = Field(description="For what.")
    years: Text = Field(description="Year or years of the account.")
    corpus: Text = Field(description="The documents or data behind it.")
    tried: Words = Field(description="What they tried, in that order.")
    kept: Kept = Field(description="The method that they kept, in this book's terms.")
    effect: Text = Field(
        description="What they measured, in the order of `tried` where it has as many figures."
    )
    unit: Text = Field(description="Unit of the effect.")
    time_or_cost: str = Field(description="Time or money that they state; blank if none.")
    claims: Words = Field(description="Entries of the ledger that it bears on.")
    source: Source = Field(description="Their own account.")
    locator: Text = Field(description="Where in the account the effect stands, or the summary that was read.")
    how_read: HowRead = Field(description="How it was read.")
    note: str = Field(description="What the columns do not hold.")

    @property
    def evidence(self) -> Evidence:
        """Primary or secondary, as `how_read` says."""
        return evidence(self.how_read)


def cases(kept: Kept | None = None) -> tuple[Case, ...]:
    """All cases in file order, or those that kept one method."""
    rows = cast(tuple[Case, ...], load("cases"))
    return tuple(row for row in rows if kept is None or row.kept == kept)
