"""Questions that people wrote, with the passages that answer them, from Debian documentation packages.

A question is a heading that ends in a question mark; its answer is the text under it. Headings are not
indexed, for no passage, so a question never meets its own words there. Texts are fetched, never committed.
"""

from __future__ import annotations

import csv
import functools
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from html.parser import HTMLParser
from pathlib import Path

from ragvsft.retrieval.pipeline import chunk as chunking
from ragvsft.retrieval.pipeline.chunk import chunk
from ragvsft.retrieval.pipeline.load import Document

HERE = Path(__file__).parent
CHUNKING = Path(chunking.__file__)
MANUAL_PASSAGES = 200
"""Passages at most that a package gives besides its questions' answers, chosen by the hash of their place."""
SHORTEST_ANSWER_WORDS = 12
MOST_GOLD_PASSAGES = 8


@dataclass(frozen=True)
class Package:
    """A Debian package, pinned. `faq` matches the paths of the pages whose headings are questions."""

    name: str
    version: str
    sha256: str
    split: str
    faq: str


@dataclass(frozen=True)
class Section:
    place: str
    heading: str
    text: str
    is_question: bool


@dataclass(frozen=True)
class Passage:
    id: str
    project: str
    place: str
    heading: str
    text: str


@dataclass(frozen=True)
class Question:
    id: str
    project: str
    text: str
    gold: tuple[str, ...]


@dataclass(frozen=True)
class Corpus:
    passages: tuple[Passage, ...]
    questions: tuple[Question, ...]


def packages() -> list[Package]:
    with (HERE / "packages.csv").open(encoding="utf-8") as file:
        return [Package(**row) for row in csv.DictReader(file)]


@functools.cache
def _know_the_archive() -> None:
    """Read the archive's lists once where nobody has; that needs root."""
    if shutil.which("apt-get") is None:
        raise SystemExit("apt-get: not on this machine; the packages come from Debian's archive")
    if os.geteuid() == 0 and not list(Path("/var/lib/apt/lists").glob("*Packages*")):
        subprocess.run(["apt-get", "update", "-qq"], check=False)


def fetch(package: Package, cache: Path) -> Path:
    """The unpacked package. Stops with the version that is wanted if the archive has another."""
    target = cache / f"{package.name}_{package.sha256[:12]}"
    if target.exists():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    _know_the_archive()
    wanted = f"{package.name}={package.version}"
    done = subprocess.run(["apt-get", "download", "-qq", wanted], cwd=cache, capture_output=True, text=True)
    found = sorted(cache.glob(f"{package.name}_*.deb"))
    if done.returncode or not found:
        raise SystemExit(f"package {wanted}: not in this machine's archive ({done.stderr.strip()[:200]})")
    digest = hashlib.sha256(found[-1].read_bytes()).hexdigest()
    if digest != package.sha256:
        raise SystemExit(f"package {wanted}: SHA-256 is {digest}, must be {package.sha256}")
    unfinished = target.with_suffix(".part")
    subprocess.run(["dpkg-deb", "-x", found[-1], unfinished], check=True)
    unfinished.rename(target)
    found[-1].unlink()
    return target


# ----------------------------------------------------------------------------------------------- reading

LEVELS = {f"h{level}": level for level in range(1, 7)}
BREAKS = {"p", "div", "li", "dd", "tr", "td", "pre", "br", "table", "section", "ul", "ol", "dl", "blockquote"}
SILENT = {"script", "style", "head", "nav"}
OTHER_LANGUAGE = re.compile(
    r"/(pl|de|es|cs|ru|fr|hu|it|zh_CN|zh_TW|pt-br|pt_BR|da|ja|ko|tr|zh-cn|sv|uk|el)/|\.(?!en\b)[a-z]{2}(-[a-z]{2})?\.html$"
    r"|_sources/|genindex|search\.html|/py-modindex"
)
NUMBERING = re.compile(
    r"^(?:Q(?:uestion)?\s*[:.]?\s+|Q\d+[.:)]\s*|Question\s+\d+(?:\.\d+)*\.?\s*|\(\d+\)\s*|[A-Z]?\d+(?:\.\d+)*[.:)]?\s+"
    r"|[A-Z]\d+[.:]\s*|[A-Z](?:\.\d+)+\.\s*)+"
)
QUESTION_LEVEL = 7


@dataclass
class Block:
    level: int  # 0 for text
    text: str = ""
    linked: int = 0


class Blocks(HTMLParser):
    """The page as blocks of text and headings, in order; menus of links are dropped by `page_sections`."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [Block(0)]
        self.silent = 0
        self.in_link = 0
        self.closes = self.skipping = ""

    def start(self, level: int) -> None:
        self.blocks.append(Block(level))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.silent += tag in SILENT
        self.in_link += tag == "a" and "href" in given and given.get("class") != "toc-backref"
        if given.get("class") in ("headerlink", "pull-right") and not self.skipping:
            self.skipping = tag
            self.silent += 1
            self.in_link -= tag == "a"
            return
        if tag in LEVELS:
            self.start(LEVELS[tag])
            self.closes = tag
        elif tag == "dt" or given.get("class") == "question":
            self.start(QUESTION_LEVEL)
        elif tag in ("b", "strong", "font") and not self.closes and not self.blocks[-1].text.strip():
            self.start(QUESTION_LEVEL)
            self.closes = tag
        elif tag in BREAKS and not self.closes and not self.heading_is_open():
            self.start(0)

    def handle_endtag(self, tag: str) -> None:
        if tag == self.skipping:
            self.silent -= 1
            self.skipping = ""
            return
        self.silent -= tag in SILENT and self.silent > 0
        self.in_link -= tag == "a" and self.in_link > 0
        if tag == self.closes:
            self.closes = ""
            if tag in LEVELS or self.blocks[-1].text.rstrip().endswith("?"):
                self.start(0)
        elif tag in ("dt", "p", "li", "dd", "td", "pre") and not self.heading_is_open():
            self.start(0)

    def heading_is_open(self) -> bool:
        """Whether the last block is a heading of which at most the number was read."""
        return self.blocks[-1].level > 0 and len(self.blocks[-1].text.split()) < 2

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.blocks[-1].text += data
            self.blocks[-1].linked += len(data) if self.in_link else 0


def page_blocks(html: str) -> list[Block]:
    reader = Blocks()
    reader.feed(html)
    return reader.blocks


def pod_blocks(pod: str) -> list[Block]:
    blocks, inside = [], False
    for paragraph in re.split(r"\n\s*\n", pod):
        if match := re.match(r"=head(\d)\s+(.*)", paragraph, re.DOTALL):
            blocks.append(Block(int(match[1]), plain_pod(match[2])))
            inside = True
        elif paragraph.startswith("=item"):
            blocks.append(Block(0, plain_pod(paragraph[5:])))
        elif inside and not paragraph.startswith("="):
            blocks.append(Block(0, plain_pod(paragraph)))
    return blocks


def plain_pod(text: str) -> str:
    for _ in range(3):
        text = re.sub(r"[A-Z]<<?\s?([^<>]*?)\s?>>?", lambda match: match[1].split("|")[0], text)
    return text


def text_blocks(text: str) -> list[Block]:
    """A plain-text FAQ: a paragraph of at most three lines that ends in a question mark is a question."""
    blocks = []
    for paragraph in re.split(r"\n\s*\n", text):
        short = paragraph.strip().endswith("?") and len(paragraph.strip().splitlines()) <= 3
        heading = short or re.match(r"\s*(Subject:|[-=]{8,})", paragraph)
        blocks.append(Block(QUESTION_LEVEL if heading else 0, paragraph.replace("Subject:", "")))
    return blocks


def sections(place: str, blocks: Iterable[Block], is_faq: bool) -> Iterator[Section]:
    """Sections by heading. The answer to a question runs to the next question or heading of its level."""
    heading, level, asks, texts = place, 9, False, []

    def section() -> Section:
        return Section(place, heading, "\n\n".join(texts), asks)

    for block in blocks:
        words = " ".join(block.text.split()).strip("¶# ")
        if not words or block.linked > 0.7 * len(words):
            continue
        title = NUMBERING.sub("", words)
        question = bool(is_faq and block.level and title.endswith("?") and 4 <= len(title.split()) <= 40)
        ends = block.level and block.level < QUESTION_LEVEL and not (asks and block.level > level)
        if question or ends:
            yield section()
            heading, level, asks, texts = title, block.level, question, []
        else:
            texts.append(words)
    yield section()


def pages(package: Package, root: Path) -> Iterator[tuple[str, list[Block]]]:
    for file in sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink()):
        place = file.relative_to(root).as_posix()
        if OTHER_LANGUAGE.search(place):
            continue
        if file.suffix in (".html", ".htm"):
            yield place, page_blocks(file.read_text("utf-8", errors="replace"))
        elif file.suffix == ".pod":
            yield place, pod_blocks(file.read_text("utf-8", errors="replace"))
        elif file.suffix == ".gz" and re.search(package.faq, place):
            yield place, text_blocks(gzip.decompress(file.read_bytes()).decode("utf-8", errors="replace"))


def key(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def project(package: Package, root: Path, words: int = 180, overlap: int = 0) -> Corpus:
    """A package's questions and passages; the questions' own words are taken out of every passage."""
    answered: list[tuple[str, Section]] = []
    manual: list[Section] = []
    seen: set[str] = set()
    for place, blocks in pages(package, root):
        for section in sections(place, blocks, bool(re.search(package.faq, place))):
            body = key(section.text)
            if len(body.split()) < SHORTEST_ANSWER_WORDS or body in seen:
                continue
            seen.add(body)
            if section.is_question and key(section.heading) not in {key(text) for text, _ in answered}:
                answered.append((section.heading, section))
            else:
                manual.append(section)
    asked = re.compile("|".join(_loose(text) for text, _ in answered) or r"(?!)", re.IGNORECASE)
    passages: list[Passage] = []
    questions = []
    for text, section in answered:
        found = _passages(package.name, section, asked, words, overlap)
        if 0 < len(found) <= MOST_GOLD_PASSAGES:
            passages += found
            questions.append(
                Question(
                    f"{package.name}/{digest(key(text))[:10]}", package.name, text, tuple(p.id for p in found)
                )
            )
    rest = [p for section in manual for p in _passages(package.name, section, asked, words, overlap)]
    rest.sort(key=lambda passage: digest(passage.place, passage.text))
    unique = {passage.id: passage for passage in [*passages, *rest[:MANUAL_PASSAGES]]}
    return Corpus(tuple(unique.values()), tuple(questions))


def _loose(question: str) -> str:
    return r"\W+".join(re.findall(r"\w+", question)) + r"\W?"


def _passages(name: str, section: Section, asked: re.Pattern[str], words: int, overlap: int) -> list[Passage]:
    text = asked.sub(" ", section.text)
    whole = Document(id=section.place, title=section.heading or "-", text=text)
    return [
        Passage(
            f"{name}/{digest(section.place, part.text)[:12]}", name, section.place, section.heading, part.text
        )
        for part in chunk(whole, words, overlap)
        if len(part.text.split()) >= 5
    ]


def corpus(split: str, cache: Path, words: int = 180, overlap: int = 0) -> Corpus:
    """All projects of `development` or `report`. What was read is kept until its code or data change."""
    code = (
        b"".join((HERE / name).read_bytes() for name in ("corpus.py", "packages.csv")) + CHUNKING.read_bytes()
    )
    kept = cache / f"corpus_{split}_{words}_{overlap}_{hashlib.sha256(code).hexdigest()[:16]}.json"
    if not kept.exists():
        parts = [project(p, fetch(p, cache), words, overlap) for p in packages() if p.split == split]
        passages = [asdict(passage) for part in parts for passage in part.passages]
        questions = [asdict(question) for part in parts for question in part.questions]
        kept.with_suffix(".part").write_text(json.dumps([passages, questions]), encoding="utf-8")
        kept.with_suffix(".part").rename(kept)
    passages, questions = json.loads(kept.read_text(encoding="utf-8"))
    return Corpus(
        tuple(Passage(**passage) for passage in passages),
        tuple(Question(**question | {"gold": tuple(question["gold"])}) for question in questions),
    )


def leaks(given: Corpus) -> list[str]:
    """Ids of passages that hold, word for word, a question of their own project of at least four words."""
    found = []
    for passage in given.passages:
        body = f" {key(passage.text)} "
        if any(q.project == passage.project and f" {key(q.text)} " in body for q in given.questions):
            found.append(passage.id)
    return found
