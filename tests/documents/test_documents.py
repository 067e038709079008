"""What the documents promise is there: links, commands, targets, variables, ports, settings."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from config.settings import ROOT, Settings
from qianmen.processes import processes
from scripts.settings_doc import TARGET, document
from tests.documents.commands import shown, wrong
from tests.documents.markdown import Document, cells, documents, read

DOCUMENTS = documents()
SCRIPTS = [
    ROOT / "Makefile", *ROOT.glob("scripts/*.sh"), *ROOT.glob("docker-compose*.yml"),
    *ROOT.glob("tests/conftest.py"),
]  # fmt: skip
CHINESE = [one for one in DOCUMENTS if re.fullmatch(r"docs/.*\.zh-CN\.md", one.name)]
each = pytest.mark.parametrize("document", DOCUMENTS, ids=[one.name for one in DOCUMENTS])
translated = pytest.mark.parametrize("chinese", CHINESE, ids=[one.name for one in CHINESE])


def anchors(document: Document) -> set[str]:
    """The ids that a heading gets where documents are shown."""
    texts = [line.lstrip("#").strip().lower() for line in document.headings]
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text)) for text in texts}


def test_there_are_documents() -> None:
    names = {one.name for one in DOCUMENTS}
    assert {"README.md", "README.zh-CN.md", "CONTRIBUTING.md", "docs/operating.md"} <= names


@each
def test_links_and_images_lead_somewhere(document: Document) -> None:
    for link in document.links:
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = document.path.parent / name if name else document.path
        assert target.exists(), f"{document.name}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(read(target)), f"{document.name}: {link}"


@each
def test_commands_exist(document: Document) -> None:
    found = [(line, words) for line in document.code if (words := shown(line)) is not None]
    assert not [f"{line}: {why}" for line, words in found if (why := wrong(words))]


@each
def test_make_targets_exist(document: Document) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    named = {name for line in document.code for name in re.findall(r"\bmake ([a-z][a-z-]*)", line)}
    assert named <= targets


@each
def test_variables_exist(document: Document) -> None:
    known = {f"QIANMEN_{name.upper()}" for name in Settings.model_fields}
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    text = document.path.read_text(encoding="utf-8")
    named = set(re.findall(r"QIANMEN_[A-Z0-9_]+", text)) - known
    families = {name for name in named if any(one.startswith(name) for one in known)}
    assert all(name.endswith("_") for name in families)
    assert not {name for name in named - families if name not in scripts}


@each
def test_no_registry_and_no_place_of_one_machine_is_named(document: Document) -> None:
    places = r"pypi\.org|pythonhosted|npmjs|mirrors?\.|/simple\b|(?<![\w.])/(?:work|root|home)/"
    assert not re.findall(places, document.path.read_text(encoding="utf-8"))


def test_both_readmes_say_the_same_things() -> None:
    english, chinese = read(ROOT / "README.md"), read(ROOT / "README.zh-CN.md")
    levels = [[line.split(" ")[0] for line in one.headings] for one in (english, chinese)]
    assert levels[0] == levels[1]
    assert english.tables == chinese.tables
    assert english.images == chinese.images
    assert [len(block) for block in english.blocks] == [len(block) for block in chinese.blocks]
    commands = [
        [words for line in one.code if (words := shown(line))] for one in (english, chinese)
    ]
    assert sorted(commands[0]) == sorted(commands[1])


@translated
def test_a_translation_has_the_shape_of_its_twin(chinese: Document) -> None:
    english = twin(chinese)
    assert levels(chinese) == levels(english)
    assert chinese.tables == english.tables
    assert chinese.images == english.images
    assert [uncommented(block) for block in chinese.blocks] == [
        uncommented(block) for block in english.blocks
    ]


@translated
def test_a_translation_names_the_same_commands_settings_and_files(chinese: Document) -> None:
    assert chinese.spans == twin(chinese).spans


@translated
def test_a_translation_and_its_twin_lead_to_each_other(chinese: Document) -> None:
    english = twin(chinese)
    assert english.path.name in chinese.links
    assert chinese.path.name in english.links


def test_the_chinese_readme_leads_to_the_translations() -> None:
    links = set(read(ROOT / "README.zh-CN.md").links)
    assert {one.name for one in CHINESE} <= links
    assert not {twin(one).name for one in CHINESE} & links


def twin(chinese: Document) -> Document:
    """The English document that this one translates."""
    return read(chinese.path.with_name(chinese.path.name.replace(".zh-CN", "")))


def levels(document: Document) -> list[str]:
    return [line.split(" ")[0] for line in document.headings]


def uncommented(block: tuple[str, ...]) -> list[str]:
    """A block's lines without what is said to the reader: comments of shells and of ini files."""
    return [re.split(r"(?:^|\s)[#;]\s", line)[0].rstrip() for line in block]


def test_settings_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == document(), "run `make docs`"


def test_the_chinese_settings_page_has_the_same_variables_and_defaults() -> None:
    pages = [read(TARGET.with_name(name)).prose for name in ("settings.md", "settings.zh-CN.md")]
    english, chinese = ([cells(line) for line in one if line.startswith("| `")] for one in pages)
    for row, other in zip(english, chinese, strict=True):
        assert re.findall(r"`[^`]+`|\*", other[0]) == re.findall(r"`[^`]+`|\*", row[0])
        assert re.findall(r"[\d.]+", other[1]) == re.findall(r"[\d.]+", row[1])
        assert other[2] == row[2]


def test_every_setting_says_what_it_is() -> None:
    assert not [name for name, field in Settings.model_fields.items() if not field.description]


def operating_rows() -> list[list[str]]:
    lines = read(ROOT / "docs" / "operating.md").prose
    return [cells(line) for line in lines if line.startswith("|")]


def test_operating_page_names_every_process() -> None:
    named = {row[0].strip("`") for row in operating_rows()}
    assert {process.name for process in processes(Settings())} <= named


def test_operating_page_names_every_port() -> None:
    rows = [" ".join(row) for row in operating_rows()]
    for name, field in Settings.model_fields.items():
        if name.endswith("_port"):
            row = next((row for row in rows if f"`QIANMEN_{name.upper()}`" in row), "")
            assert str(field.default) in row, f"QIANMEN_{name.upper()} is {field.default}"


def test_hooks_fetch_nothing_and_are_valid(tmp_path: Path) -> None:
    path = ROOT / ".pre-commit-config.yaml"
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"repo: *(\S+)", text) == ["local"]
    assert set(re.findall(r"language: *(\S+)", text)) == {"system"}
    for entry in re.findall(r"entry: *(\S+)", text):
        assert entry.startswith(".venv/bin/")
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "pre-commit", "validate-config", path],
        capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PRE_COMMIT_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("qianmen up --show", ["up", "--show"]),
        (".venv/bin/qianmen status --json | jq .up", ["status", "--json"]),
        ("uv run qianmen ask 租房 --json   # a comment", ["ask", "租房", "--json"]),
        ('qianmen chat --say "a b" && echo', ["chat", "--say", "a b"]),
        ("python -m qianmen.agent_phone", None),
        ("qianmen/", None),
        ("qianmen", []),
    ],
)
def test_commands_are_read_from_lines(line: str, words: list[str] | None) -> None:
    assert shown(line) == words


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["up", "--show"], ""),
        (["bench", "voice", "--turns", "30", "--json"], ""),
        (["db", "upgrade|backup"], ""),
        (["data", "export", "-", "--to", "citizen.zip"], ""),
        (["db", "upgrade|melt"], "no command 'melt'"),
        (["dance"], "no command 'dance'"),
        (["up", "--dance"], "no option --dance"),
        (["call", "sip:x", "words"], "2 arguments, takes 1"),
    ],
)
def test_what_is_not_there_is_noticed(words: list[str], why: str) -> None:
    assert wrong(words) == why
