"""The site: every page is in it and reads as on GitHub, links lead somewhere, and nothing comes from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from pages import ROOT
from reference.building import build
from reference.keys_tables import filled
from reference.linking import Linking
from reference.navigation import mistakes, named
from reference.staging import lay_out, written

from deploytasks import namespace
from deploytasks.checklist import ITEMS
from deploytasks.errors import EXIT_CODES

CONFIGURATION = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
EXTENSIONS = ["tables", "attr_list", "md_in_html", "toc", "pymdownx.superfences"]
BLOCKS = ("h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "pre", "table", "tr", "td", "th", "img")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as the site has them."""
    folder = tmp_path_factory.mktemp("site") / "pages"
    lay_out(folder)
    return folder


def test_every_page_is_in_the_navigation(pages: Path) -> None:
    """Nobody writes a page that nobody finds."""
    assert [] == mistakes(CONFIGURATION, [one.relative_to(pages).as_posix() for one in pages.rglob("*.md")])


def test_what_is_wrong_with_a_navigation_is_said() -> None:
    """A page that is left out, one that is not there, one that comes twice."""
    nav = "site_name: x\nnav:\n  - Home: index.md\n  - Part:\n      - gone.md\n      - Again: index.md\n"
    assert ["index.md", "gone.md", "index.md"] == named(nav)
    assert [
        "lost.md: it is not in the nav of mkdocs.yml",
        "gone.md: it is in the nav of mkdocs.yml, and nowhere else",
        "index.md: it is in the nav of mkdocs.yml more than once",
        "index.md: it is in the nav of mkdocs.yml more than once",
    ] == mistakes(nav, ["index.md", "lost.md"])


# -- what is made -----------------------------------------------------------------------------------------------------


def test_every_task_and_option_is_in_the_reference(pages: Path) -> None:
    """As `inv` has them: a section for each task, its aliases, its own words, a row for each option with its words."""
    text = (pages / "reference/tasks.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(namespace.tasks) == set(sections)
    for name, task in namespace.tasks.items():
        assert " ".join((task.__doc__ or "").split()) in sections[name]
        assert all(f"`{alias}`" in sections[name] for alias in task.aliases)
        for option in task.get_arguments():
            row = re.search(rf"^\| .*`--(?:no-)?{option.name}` \|.*$", sections[name], re.MULTILINE)
            assert row is not None, (name, option.name)
            assert getattr(option, "words", option.help).replace("|", "\\|") in row[0]


def test_every_exit_code_and_item_is_in_the_reference(pages: Path) -> None:
    """Word by word."""
    codes = (pages / "reference/exit-codes.md").read_text(encoding="utf-8")
    items = (pages / "reference/checklist.md").read_text(encoding="utf-8")
    assert all(f"| {code} | {meaning} |" in codes for code, meaning in EXIT_CODES.items())
    assert all(f"| `{item.id}` | {item.text} |" in items for item in ITEMS)


# -- links ------------------------------------------------------------------------------------------------------------


def test_links_lead_to_where_the_site_has_it() -> None:
    """A page beside it, one from outside of docs/, one that is made; what the site has not is named, and code is left
    alone."""
    places = {"docs/a.md": "a.md", "docs/in/b.md": "in/b.md", "README.md": "index.md", "README.md#x": "reference/x.md"}
    at = Linking("docs/in/b.md", "in/b.md", places)
    assert "[a](../a.md#h) [home](../index.md) [x](../reference/x.md) [y](../index.md#y)" == at.led(
        "[a](../a.md#h) [home](../../README.md) [x](../../README.md#x) [y](../../README.md#y)"
    )
    assert "the sample, `[a](../a.md)`, [web](https://example.org) [here](#h)" == at.led(
        "[the sample](../../examples/), `[a](../a.md)`, [web](https://example.org) [here](#h)"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built."""
    pytest.importorskip("zensical")
    at = tmp_path_factory.mktemp("built")
    (at / "mkdocs.yml").write_text(CONFIGURATION, encoding="utf-8")
    assert 0 == build(at)
    return at / "build/site"


def test_it_builds_strictly_and_stands_alone(site: Path) -> None:
    """No broken link or anchor; and no page fetches a script, a style, a font or a picture from anywhere else."""
    fetched = [one for page in site.rglob("*.html") for one in _fetched(page)]
    assert [] == [one for one in fetched if "://" in one]
    assert len(fetched) > len(named(CONFIGURATION))


def test_what_it_loads_is_there(site: Path) -> None:
    """Each script and style, from each page; the search's own frame among them."""
    lost = [
        one
        for page in site.rglob("*.html")
        for one in _fetched(page)
        if page.name != "404.html" and not (page.parent / one.partition("?")[0]).exists()
    ]
    assert [] == lost
    assert 'src="reference/worker.js"' in (site / "index.html").read_text(encoding="utf-8")


def test_a_page_that_is_left_out_fails_the_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And is named."""
    (tmp_path / "mkdocs.yml").write_text(CONFIGURATION.replace("      - Gates: gates.md\n", ""), encoding="utf-8")
    assert 1 == build(tmp_path)
    assert "gates.md: it is not in the nav of mkdocs.yml\n" == capsys.readouterr().err


def _fetched(page: Path) -> Iterator[str]:
    """What a browser fetches when it opens a page."""
    text = page.read_text(encoding="utf-8")
    yield from re.findall(r"""<(?:script|img|iframe)[^>]*?\ssrc=["']?([^"'\s>]+)""", text)
    for link in re.findall(r"<link[^>]*>", text):
        if not re.search(r"""rel=["']?(canonical|prev|next)""", link):
            yield from re.findall(r"""href=["']?([^"'\s>]+)""", link)


# -- as on GitHub -----------------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """The blocks of a page, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in BLOCKS:
            self.blocks.append(tag)


def outline(html: str) -> list[str]:
    """Its blocks, but for paragraphs inside of lists: one reader of Markdown makes more of them than the other."""
    reader = Outline()
    reader.feed(html)
    return [tag for tag in reader.blocks if tag != "p"]


@pytest.mark.parametrize(("place", "source"), sorted(written().items()))
def test_a_page_reads_in_the_site_as_on_github(pages: Path, place: str, source: str) -> None:
    """The same headings, lists, tables and blocks of code, in the same order, though Python-Markdown reads lists in
    another way."""
    markdown = pytest.importorskip("markdown")
    github = MarkdownIt("commonmark").enable("table").render(filled((ROOT / source).read_text(encoding="utf-8")))
    site = markdown.markdown((pages / place).read_text(encoding="utf-8"), extensions=EXTENSIONS)
    assert outline(github) == outline(site)
