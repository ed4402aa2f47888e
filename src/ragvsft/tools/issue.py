"""An answered issue form as a row of a table: checked like any other row, ready to be appended.

GitHub writes the answers of a form as Markdown: `### Label`, a blank line, the answer. The labels in
`.github/ISSUE_TEMPLATE/price.yml` are the table's columns ("As of" is `as_of`); other answers are for people.
"""

import csv
import io
import re
from datetime import date
from typing import Any

from ragvsft import data
from ragvsft.data import DataError, cut

NO_ANSWER = "_No response_"
HEADING = re.compile(r"^### +(.+?) *$", re.MULTILINE)


def answers(text: str) -> dict[str, str]:
    """`{column: answer}` of an issue's text, blank where nothing was said. Raises ValueError without any."""
    _, *parts = HEADING.split(text.replace("\r\n", "\n"))
    if not parts:
        raise ValueError("the text holds no answers: it must be an issue that was written with the form")
    labels, texts = parts[::2], parts[1::2]
    if repeated := {label for label in labels if labels.count(label) > 1}:
        raise ValueError(f"{cut(min(repeated))}: is answered twice")
    pairs = zip(map(_column, labels), (answer.strip() for answer in texts), strict=True)
    return {column: "" if answer == NO_ANSWER else " ".join(answer.split()) for column, answer in pairs}


def price_row(text: str, latest: date) -> str:
    """The line of `data/prices.csv` that an answered price form stands for.

    Raises `DataError` for an answer that no row of the table may hold, a date after `latest`, a price that
    the table has already, or an item that it has never had; `ValueError` for a text that is no answered form.
    """
    model = data.table("prices")
    said = answers(text)
    cells = {column: said.get(column, "") for column in model.model_fields}
    known = {row.item: getattr(row, "unit", "") for row in data.load("prices")}
    if cells["item"] not in known:
        hint = data.nearest(cells["item"], known)
        raise DataError(f"item = {cut(cells['item'])}: must be an item of data/prices.csv{hint}")
    for column, default in (("unit", known[cells["item"]]), ("currency", "USD")):
        if column in cells:
            cells[column] = cells[column] or default
    row: Any = data.parse_row("answers", cells, model)
    if row.as_of > latest:
        raise DataError(f"answers: as_of = {row.as_of}: lies in the future; must be at most {latest}")
    key = tuple(getattr(row, column) for column in model.KEY)
    if key in {tuple(getattr(other, column) for column in model.KEY) for other in data.load("prices")}:
        named = ", ".join(f"{column} = {value}" for column, value in zip(model.KEY, key, strict=True))
        raise DataError(f"answers: {named}: data/prices.csv has this row already")
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells.values())
    return line.getvalue()


def _column(label: str) -> str:
    return re.sub(r"\W+", "_", label.lower()).strip("_")
