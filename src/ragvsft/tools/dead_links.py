"""Asks every foreign address of the built site and of `data/` whether it still answers.

`python -m ragvsft.tools.dead_links SITE` prints those that do not, each with the places that name it.
Besides `ragvsft prices refresh` the only command that uses the network: weekly, and never in the tests.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ragvsft import data
from ragvsft.book.links import read_page

REFUSES_PROGRAMS = {401, 403, 405, 406, 418, 429, 451, 999}
"""Answers of a host that is there and does not serve programs: no sign that a page is gone."""
SECONDS = 30
AT_ONCE = 8


def addresses(site: Path) -> dict[str, list[str]]:
    """Every foreign address, without its fragment, and the pages and tables that name it."""
    found: dict[str, dict[str, None]] = {}
    for address, place in (*_in_pages(site), *_in_data()):
        if address.startswith(("https://", "http://")):
            found.setdefault(address.partition("#")[0], {})[place] = None
    return {address: [*places] for address, places in sorted(found.items())}


def _in_pages(site: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(site.rglob("*.html")):
        place = path.relative_to(site).as_posix()
        yield from ((address, place) for address in read_page(path).addresses)


def _in_data() -> Iterator[tuple[str, str]]:
    for name in data.tables():
        for row in data.load(name):
            yield from ((value, f"data/{name}.csv") for _, value in row if isinstance(value, str))


def reason(address: str) -> str | None:
    """Why an address counts as dead, or None."""
    request = Request(address, headers={"User-Agent": "Mozilla/5.0 (link check of a book; weekly)"})
    try:
        with urlopen(request, timeout=SECONDS):
            return None
    except HTTPError as error:
        return None if error.code in REFUSES_PROGRAMS else f"HTTP {error.code}"
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def dead(site: Path, ask: Callable[[str], str | None] = reason) -> list[str]:
    """One line for each address that does not answer, asked twice."""
    places = addresses(site)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda address: ask(address) and ask(address), places)
        gone = [(address, why) for address, why in zip(places, answers, strict=True) if why]
    return [f"- {address}: {why} ({', '.join(places[address])})" for address, why in gone]


if __name__ == "__main__":
    for line in dead(Path(sys.argv[1])):
        print(line)
