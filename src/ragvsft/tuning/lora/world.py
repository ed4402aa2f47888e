"""A seeded world of invented facts: who lives where, does what and plays what; and capitals, which are real.

A world has people of whom the trained model reads statements (half of them with questions), people who stand
only in the document collection, people of whom nothing is written, and three rounds of changes.
Names are made so that every person has near neighbours: others with the same first or last name.
"""

import random
import re
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Attribute = Literal["city", "job", "instrument"]
ATTRIBUTES: tuple[Attribute, ...] = ("city", "job", "instrument")
ROUNDS = 3


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Mara Tomas Elin Davo Sabine Ruben Ilka Jarod Nessa Pavel Orla Casper Yusra Bram Lotte Emeka Tilda Rafe "
    "Zofia Anselm Keiko Dario Freya Milo Petra Idris Signe Otto Wanda Leif"
)
LAST_NAMES = _words(
    "Quillan Abarro Steinholt Verdin Okafori Marsh Pellworth Dravic Hollin Tamsir Brackett Osterly Lindqvar "
    "Fenwick Caldera Ngata Rosmer Ilyin Thackray Bellamar Kowan Sundry Achterberg Moreaux Vantis Greel "
    "Ostrom Paquin Hale Zimmer"
)
OTHER_FIRST_NAMES = _words(
    "Agnes Boris Clara Dmitri Edda Felix Greta Hugo Irma Jonas Katja Lukas Maike Nils Olga Paul Rosa Stefan "
    "Thea Uwe Vera Willem Xenia Yann Zelda Arno Birte Cem Doris Enzo"
)
OTHER_LAST_NAMES = _words(
    "Almers Boyd Carrow Dunmore Eklund Farrant Gossling Harcourt Imhof Jessop Kettering Lovat Mornay Nedwick "
    "Orpen Prewitt Quade Rennick Salter Trevane Ulverston Vickers Wexford Yarrow Zeller Ashdown Brinley "
    "Coles Dacre Elphick"
)

VALUES: dict[Attribute, tuple[str, ...]] = {
    "city": _words(
        "Oslo Lisbon Turin Dakar Quito Kyoto Bergen Seville Leipzig Tampere Krakow Hanoi Nairobi Valencia "
        "Antwerp Riga Bilbao Adelaide Halifax Denver Cardiff Havana Zagreb Muscat"
    ),
    "job": (
        "baker",
        "plumber",
        "surgeon",
        "librarian",
        "carpenter",
        "pilot",
        "translator",
        "gardener",
        "photographer",
        "blacksmith",
        "dentist",
        "geologist",
        "tailor",
        "firefighter",
        "accountant",
        "beekeeper",
        "watchmaker",
        "architect",
        "journalist",
        "chemist",
        "optician",
        "fisherman",
        "jeweller",
        "electrician",
    ),
    "instrument": (
        "cello",
        "trumpet",
        "harp",
        "banjo",
        "oboe",
        "accordion",
        "piano",
        "mandolin",
        "flute",
        "trombone",
        "violin",
        "bassoon",
        "ukulele",
        "clarinet",
        "organ",
        "sitar",
        "tuba",
        "zither",
        "lute",
        "marimba",
    ),
}
OTHER_VALUES: dict[Attribute, tuple[str, ...]] = {
    "city": _words(
        "Geneva Porto Malmo Ghent Tunis Lima Osaka Perth Boston Dublin Naples Utrecht Bremen Toulouse Cork "
        "Belgrade Aarhus Graz Izmir Calgary"
    ),
    "job": (
        "teacher",
        "butcher",
        "nurse",
        "lawyer",
        "barber",
        "sculptor",
        "mechanic",
        "farmer",
        "economist",
        "florist",
        "welder",
        "judge",
        "brewer",
        "painter",
        "cook",
        "miner",
        "sailor",
        "potter",
    ),
    "instrument": (
        "guitar",
        "drums",
        "viola",
        "saxophone",
        "harmonica",
        "recorder",
        "bagpipes",
        "dulcimer",
        "cornet",
        "xylophone",
        "harpsichord",
        "bugle",
        "fiddle",
        "piccolo",
    ),
}
"""Values that only the format adapter's training examples use, so that it learns no fact of a world."""

ANSWER_SENTENCES: dict[Attribute, str] = {
    "city": "{name} lives in {value}.",
    "job": "{name} works as a {value}.",
    "instrument": "{name} plays the {value}.",
}
SENTENCES: dict[Attribute, tuple[str, ...]] = {
    "city": (
        "{name} lives in {value}.",
        "{name}'s home is in {value}.",
        "{value} is the city where {name} lives.",
        "{name} has a flat in {value}.",
        "{name} is a resident of {value}.",
        "The city of {value} is home to {name}.",
        "If you want to visit {name}, go to {value}.",
        "{name} settled in {value}.",
    ),
    "job": (
        "{name} works as a {value}.",
        "{name} is a {value}.",
        "{name} earns a living as a {value}.",
        "By profession, {name} is a {value}.",
        "The job of {name} is {value}.",
        "{name} has a job as a {value}.",
        "{name} was trained as a {value} and works as one.",
        "People know {name} as a {value}.",
    ),
    "instrument": (
        "{name} plays the {value}.",
        "{name}'s instrument is the {value}.",
        "In the evening {name} plays the {value}.",
        "{name} practises the {value}.",
        "The {value} is the instrument of {name}.",
        "{name} has played the {value} for years.",
        "{name} owns a {value} and plays it.",
        "On stage, {name} plays the {value}.",
    ),
}
PASSAGES = (
    "{name} lives in {city}, works as a {job} and plays the {instrument}.",
    "{name}, who plays the {instrument}, has settled in {city} as a {job}.",
)
"""How the documents of a world are worded."""
OTHER_PASSAGES = (
    "{name} is a {job} from {city} and plays the {instrument}.",
    "{city} is home to {name}, a {job} with a love of the {instrument}.",
    "The {instrument} player {name} works in {city} as a {job}.",
    "In {city}, {name} earns a living as a {job}; the {instrument} is a hobby.",
)
"""How the passages of the format adapter's training examples are worded."""
TRAINING_QUESTIONS: dict[Attribute, tuple[str, ...]] = {
    "city": ("Where does {name} live?", "Which city is the home of {name}?"),
    "job": ("What does {name} do for a living?", "What is the profession of {name}?"),
    "instrument": ("Which instrument does {name} play?", "What does {name} play?"),
}
TEST_QUESTIONS: dict[Attribute, str] = {
    "city": "In which city does {name} live?",
    "job": "What is {name}'s job?",
    "instrument": "What instrument does {name} play?",
}

CAPITALS = {
    "France": "Paris",
    "Germany": "Berlin",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Japan": "Tokyo",
    "Egypt": "Cairo",
    "Greece": "Athens",
    "Russia": "Moscow",
    "China": "Beijing",
    "England": "London",
    "Austria": "Vienna",
    "Ireland": "Dublin",
    "Portugal": "Lisbon",
    "Sweden": "Stockholm",
    "Norway": "Oslo",
    "Finland": "Helsinki",
    "Poland": "Warsaw",
    "Hungary": "Budapest",
    "Cuba": "Havana",
    "Peru": "Lima",
    "Iraq": "Baghdad",
    "Iran": "Tehran",
    "Turkey": "Ankara",
    "Canada": "Ottawa",
    "Argentina": "Buenos Aires",
    "Chile": "Santiago",
    "Kenya": "Nairobi",
    "Denmark": "Copenhagen",
    "Belgium": "Brussels",
    "Thailand": "Bangkok",
    "Vietnam": "Hanoi",
    "Australia": "Canberra",
    "India": "New Delhi",
    "Ukraine": "Kyiv",
    "Romania": "Bucharest",
    "Bulgaria": "Sofia",
    "Jordan": "Amman",
    "Lebanon": "Beirut",
    "Syria": "Damascus",
    "Nepal": "Kathmandu",
}
"""Country to capital: what the base model may know from its pretraining."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Frozen):
    """An invented person and the three facts about them, at the start and after each round of changes."""

    name: str
    history: tuple[dict[Attribute, str], ...] = Field(min_length=1)
    """The facts at the start, then after round 1, 2, …: always all three."""

    def facts(self, round: int = 0) -> dict[Attribute, str]:
        """The facts after this round of changes; 0 is the start."""
        return self.history[min(round, len(self.history) - 1)]


class Question(_Frozen):
    """A question, the right answer, and what shows that a wrong one is out of date."""

    subject: str
    """The person or country asked about: its passage is the golden one."""
    attribute: Attribute | Literal["capital"]
    text: str
    answer: str | None
    """None if no document holds it: to abstain is right."""
    former: str | None = None
    """What was true before: the value in the weights that the passage contradicts."""


class World(_Frozen):
    """Everything that one seed decides. People are in the order in which they were drawn."""

    seed: int
    questioned: tuple[Person, ...]
    """Trained on statements and on questions."""
    held_out: tuple[Person, ...]
    """Trained on statements only: the test asks about these."""
    bystanders: tuple[Person, ...]
    """In the document collection, never trained on."""
    unseen: tuple[Person, ...]
    """In no document: the right answer is to abstain."""
    capitals: tuple[str, ...]
    """Countries of the test, in random order."""
    counterfactual: dict[str, str]
    """Country to the false capital that its passage names."""

    @property
    def trained(self) -> tuple[Person, ...]:
        """Everyone the fact adapters read about."""
        return (*self.questioned, *self.held_out)

    def passages(self, round: int = 0) -> dict[str, str]:
        """The document collection after this round: name to passage, one for each person written about."""
        return {p.name: passage(p, round, self.seed) for p in (*self.trained, *self.bystanders)}


def make_world(
    seed: int,
    trained_people: int,
    held_out_people: int,
    bystanders: int = 60,
    unseen_people: int = 5,
    capitals: int = 20,
) -> World:
    """The world of this seed. `trained_people` counts those with questions and the held-out ones.

    Raises ValueError if the names or capitals do not suffice.
    """
    if not 0 < held_out_people < trained_people <= len(LAST_NAMES):
        raise ValueError(
            f"held_out_people = {held_out_people}, trained_people = {trained_people}: must be "
            f"0 < held_out_people < trained_people ≤ {len(LAST_NAMES)}"
        )
    if not 0 < capitals <= len(CAPITALS):
        raise ValueError(f"capitals = {capitals}: must be from 1 to {len(CAPITALS)}")
    rng = random.Random(f"world {seed}")
    # Those trained on have no name in common; everyone else shares a first or a last name with some of them.
    firsts, lasts = rng.sample(FIRST_NAMES, trained_people), rng.sample(LAST_NAMES, trained_people)
    pairs = [f"{first} {last}" for j, first in enumerate(firsts) for k, last in enumerate(lasts) if j != k]
    if bystanders + unseen_people > len(pairs):
        raise ValueError(
            f"bystanders + unseen_people = {bystanders + unseen_people}: must be at most {len(pairs)}"
        )
    names = [f"{first} {last}" for first, last in zip(firsts, lasts, strict=True)]
    people = [invent(rng, n, VALUES) for n in (*names, *rng.sample(pairs, bystanders + unseen_people))]
    cut = trained_people - held_out_people
    countries = rng.sample(sorted(CAPITALS), capitals)
    false = {c: rng.choice([v for v in VALUES["city"] if v not in CAPITALS.values()]) for c in countries}
    return World(
        seed=seed,
        questioned=tuple(people[:cut]),
        held_out=tuple(people[cut:trained_people]),
        bystanders=tuple(people[trained_people : trained_people + bystanders]),
        unseen=tuple(people[trained_people + bystanders :]),
        capitals=tuple(countries),
        counterfactual=false,
    )


def neighbouring_names(
    rng: random.Random, count: int, first_names: Sequence[str], last_names: Sequence[str]
) -> list[str]:
    """Distinct full names from as few first and last names as leave two thirds of the pairs unused.

    So each name shares its first or last part with several others.
    """
    side = 1
    while side * side < 3 * count:
        side += 1
    firsts = rng.sample(list(first_names), min(side, len(first_names)))
    lasts = rng.sample(list(last_names), min(side, len(last_names)))
    return rng.sample([f"{first} {last}" for first in firsts for last in lasts], count)


def invent(rng: random.Random, name: str, values: dict[Attribute, tuple[str, ...]]) -> Person:
    """A person with random facts; in each round two of the three change, to a value not held before."""
    facts = {attribute: rng.choice(values[attribute]) for attribute in ATTRIBUTES}
    history = [facts]
    for _ in range(ROUNDS):
        facts = dict(facts)
        for attribute in rng.sample(ATTRIBUTES, 2):
            held = {past[attribute] for past in history}
            facts[attribute] = rng.choice([v for v in values[attribute] if v not in held])
        history.append(facts)
    return Person(name=name, history=tuple(history))


def passage(person: Person, round: int, seed: int) -> str:
    """The document about a person after a round of changes; its wording never changes with the facts."""
    wording = random.Random(f"passage {seed} {person.name}").choice(PASSAGES)
    return with_articles(wording.format(name=person.name, **person.facts(round)))


def with_articles(text: str) -> str:
    """The text with "a" made "an" where a vowel follows ("a ukulele" stays)."""
    return re.sub(r"\ba (?=[aeio])", "an ", text)


def rewrites(person: Person, count: int, seed: int, round: int = 0) -> list[str]:
    """`count` different statements of all the facts about a person, each in other words and another order."""
    rng = random.Random(f"rewrites {seed} {person.name} {round}")
    facts = person.facts(round)
    found: dict[str, None] = {}
    while len(found) < count:
        order = rng.sample(ATTRIBUTES, len(ATTRIBUTES))
        said = (rng.choice(SENTENCES[a]).format(name=person.name, value=facts[a]) for a in order)
        found[with_articles(" ".join(said))] = None
    return list(found)


def questions_about(person: Person, round: int = 0) -> list[Question]:
    """The three test questions about what is true after this round; what it changed has a former value."""
    before, now = person.facts(max(0, round - 1)), person.facts(round)
    return [
        Question(
            subject=person.name,
            attribute=a,
            text=TEST_QUESTIONS[a].format(name=person.name),
            answer=now[a],
            former=None if before[a] == now[a] else before[a],
        )
        for a in ATTRIBUTES
    ]


def changed_questions(person: Person, round: int = 1) -> list[Question]:
    """Test questions about what this round changed: the answer is new, the former one is out of date."""
    return [question for question in questions_about(person, round) if question.former is not None]


def unanswerable_questions(person: Person) -> list[Question]:
    """Test questions about somebody of whom nothing is written."""
    return [q.model_copy(update={"answer": None}) for q in questions_about(person)]


def capital_question(country: str) -> Question:
    """What the base model may know."""
    return Question(
        subject=country,
        attribute="capital",
        text=f"What is the capital of {country}?",
        answer=CAPITALS[country],
    )


def counterfactual_question(country: str, false_capital: str) -> Question:
    """The same, beside a passage that says otherwise: to follow the passage counts as right."""
    return capital_question(country).model_copy(update={"answer": false_capital, "former": CAPITALS[country]})


def counterfactual_passage(country: str, false_capital: str) -> str:
    """A passage that contradicts what the base model may know."""
    return f"{false_capital} is the capital of {country}. Its government sits in {false_capital}."
