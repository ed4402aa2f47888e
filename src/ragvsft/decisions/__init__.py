"""The decision rules, as data, and what they recommend: a first step, what to add next and when to stop.

The reader answers with numbers where there are numbers (documents, questions a month) and chooses elsewhere.
Thresholds, which are data, turn the numbers into classes; rules speak of classes. A rule whose conditions
hold adds points to steps (a caution adds none). A step belongs to the plan if its points reach what it needs
and it is not done yet. The plan follows the order of `decision_steps.csv`: cheap and reversible first. Where
the text may go chooses hosts and prices: no rule gives points for it. `decisions.js` evaluates the same rows.
"""

from ragvsft.decisions.answers import handed_from
from ragvsft.decisions.classes import candidates, classes_javascript
from ragvsft.decisions.engine import (
    COLUMNS,
    UNKNOWN,
    Codes,
    Count,
    Flags,
    count,
    evaluate,
    every_combination,
    source_columns,
    source_matrix,
    source_verdict,
)
from ragvsft.decisions.files import as_text, example, read, said
from ragvsft.decisions.recommendation import Change, Flip, Reason, Recommendation, Step, recommend
from ragvsft.decisions.tables import (
    AnswersError,
    Conditions,
    QuestionRow,
    answers,
    bounds,
    criteria,
    if_unknown,
    matrix,
    old_answers,
    options,
    questions,
    rules,
    steps,
    workloads,
)

__all__ = [
    "COLUMNS",
    "UNKNOWN",
    "AnswersError",
    "Change",
    "Codes",
    "Conditions",
    "Count",
    "Flags",
    "Flip",
    "QuestionRow",
    "Reason",
    "Recommendation",
    "Step",
    "answers",
    "as_text",
    "bounds",
    "candidates",
    "classes_javascript",
    "count",
    "criteria",
    "evaluate",
    "every_combination",
    "example",
    "handed_from",
    "if_unknown",
    "matrix",
    "old_answers",
    "options",
    "questions",
    "read",
    "recommend",
    "rules",
    "said",
    "source_columns",
    "source_matrix",
    "source_verdict",
    "steps",
    "workloads",
]
