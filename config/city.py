"""The city: its lines, regions, departments, prompts and forms, read from one folder of YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from config.classes import ClassesFile
from config.errors import ConfigError
from config.links import Links
from config.orders import OrderRules
from config.prompts import Prompts
from config.queue import QueueRules
from config.retention import Retention
from config.targets import HUNT_GROUP, Destination, Name, TargetsFile, check_next
from config.wechat import WechatFile
from config.yamlfile import read

SipUri = Annotated[str, Field(pattern=r"^sips?:[^\s@]+@[^\s@]+$")]
Kind = Literal["咨询", "求助", "投诉", "举报", "建议", "表扬", "其他"]
SHIPPED = Path(__file__).parent / "cities" / "sample"
"""The city that is shipped."""
_HAN = re.compile("[\u4e00-\u9fff]{1,20}")
_SYLLABLE = re.compile("[a-z]{1,6}[1-5]")
FieldName = Literal[
    "kind", "what", "where", "when", "phone", "amount", "people", "department",
    "employer", "period", "name",
]  # fmt: skip


class _Part(BaseModel):
    """Strict and frozen: an unknown key is a typing error of the city's, not a wish."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(_Part):
    """One number that citizens dial, or one account they write to.

    ``hunt_next``: names of targets that are tried when nobody of the hunt group answers.
    """

    number: Annotated[str, BeforeValidator(str)]
    name: str
    region: str = ""
    hunt_group: SipUri
    hunt_next: tuple[Name, ...] = ()
    answered_as: str = ""


class Region(_Part):
    """A district, county or town; ``aliases`` are what people call it."""

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    parent: str = ""
    places: tuple[str, ...] = ()


class Department(_Part):
    """A body that orders go to."""

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    merged_lines: tuple[Annotated[str, BeforeValidator(str)], ...] = ()


class Question(_Part):
    """One question of a complaint form: the field it fills and how it is asked."""

    field: FieldName
    say: str
    again: str = ""


class Form(_Part):
    """What a complaint is asked, for a matter or a topic told by ``words``."""

    name: str
    kind: Kind = "投诉"
    matter: str = ""
    department: str = ""
    words: tuple[str, ...] = ()
    ask: tuple[Question, ...] = Field(min_length=1)


class _CityFile(_Part):
    name: str
    timezone: str = "Asia/Shanghai"
    lines: tuple[Line, ...] = Field(min_length=1)
    retention: Retention = Retention()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError):
            raise ValueError("not a known time zone") from None
        return value


class _RegionsFile(_Part):
    regions: tuple[Region, ...] = Field(min_length=1)


class _DepartmentsFile(_Part):
    departments: tuple[Department, ...] = Field(min_length=1)


class _FormsFile(_Part):
    general: Form
    forms: tuple[Form, ...] = ()


class _ReadingsFile(_Part):
    """How names of the city are read where the dictionary does not know it: 单县: shan4 xian4."""

    words: dict[str, str] = Field(max_length=1000)

    @field_validator("words")
    @classmethod
    def _one_syllable_a_character(cls, words: dict[str, str]) -> dict[str, str]:
        for word, reading in words.items():
            syllables = reading.split()
            if not _HAN.fullmatch(word):
                raise ValueError(f"{word}: Chinese characters only")
            if len(syllables) != len(word) or not all(map(_SYLLABLE.fullmatch, syllables)):
                raise ValueError(f"{word}: one syllable with its tone a character, as shan4 xian4")
        return words


class _UrgentFile(BaseModel):
    """Checked by the room that owns the rules; here it only has to be a mapping."""

    model_config = ConfigDict(extra="allow", frozen=True)


class City(_Part):
    """Everything that differs from city to city."""

    folder: Path
    name: str
    timezone: str
    lines: tuple[Line, ...]
    regions: tuple[Region, ...]
    departments: tuple[Department, ...]
    prompts: Prompts
    general_form: Form
    forms: tuple[Form, ...]
    urgent: dict[str, Any]
    retention: Retention = Retention()
    targets: TargetsFile = TargetsFile()
    readings: dict[str, str] = {}
    classes: ClassesFile = ClassesFile()
    links: Links = Links()
    orders: OrderRules = OrderRules()
    queue: QueueRules = QueueRules()
    wechat: WechatFile = WechatFile()

    @property
    def zone(self) -> ZoneInfo:
        """The city's time zone."""
        return ZoneInfo(self.timezone)

    def line(self, number: str) -> Line:
        """The line that was dialled; the first one where the number is unknown."""
        return next((line for line in self.lines if line.number == number), self.lines[0])

    def destinations(self, line: Line, text: str) -> tuple[Destination, ...]:
        """Whom to dial one after the other for ``text``; () for what this city does not list.

        ``text``: a target's name, an extension, a listed URI, or the hunt group of any line.
        """
        if text in (HUNT_GROUP, line.hunt_group):
            return self.targets.chain(_hunt_group(line))
        other = next((each for each in self.lines if each.hunt_group == text), None)
        found = _hunt_group(other) if other is not None else self.targets.find(text)
        return self.targets.chain(found) if found is not None else ()

    def form(self, matter: str, text: str) -> Form:
        """The form for a matter code, else for a topic that ``text`` names, else the general."""
        by_matter = (f for f in self.forms if matter and f.matter == matter)
        by_words = (f for f in self.forms if any(word in text for word in f.words))
        return next(by_matter, None) or next(by_words, None) or self.general_form

    def department_named(self, name: str) -> Department | None:
        """The department of that name or alias."""
        return next((d for d in self.departments if name in (d.name, *d.aliases)), None)


def _hunt_group(line: Line) -> Destination:
    return Destination(
        HUNT_GROUP, "人工坐席", "hunt_group", line.hunt_group, desk=True, next=line.hunt_next
    )


def load_city(folder: Path) -> City:
    """Read a city's folder; raises :class:`ConfigError` naming file, line and key."""
    if not folder.is_dir():
        raise ConfigError("config_missing", f"{folder}: the city's folder does not exist")
    base = read(folder / "city.yaml", _CityFile)
    forms = read(folder / "forms.yaml", _FormsFile)
    orders = _orders(folder / "orders.yaml", base.timezone)
    city = City(
        folder=folder,
        name=base.name,
        timezone=base.timezone,
        lines=base.lines,
        regions=read(folder / "regions.yaml", _RegionsFile).regions,
        departments=read(folder / "departments.yaml", _DepartmentsFile).departments,
        prompts=_prompts(folder / "prompts.yaml"),
        general_form=forms.general,
        forms=forms.forms,
        urgent=read(folder / "urgent.yaml", _UrgentFile).model_dump(),
        retention=base.retention,
        readings=_readings(folder / "readings.yaml"),
        targets=_targets(folder / "targets.yaml"),
        links=_links(folder / "links.yaml"),
        classes=_classes(folder / "classes.yaml"),
        orders=orders,
        queue=_queue(folder / "queue.yaml", orders),
        wechat=_wechat(folder / "wechat.yaml"),
    )
    _check_references(city)
    return city


def _prompts(path: Path) -> Prompts:
    """The city's; what it does not word itself (a prompt newer than its file) is as shipped."""
    return read(path, Prompts, read(SHIPPED / "prompts.yaml", Prompts).model_dump())


def _targets(path: Path) -> TargetsFile:
    """A city that connects its callers with nobody but the hunt groups has no such file."""
    return read(path, TargetsFile) if path.exists() else TargetsFile()


def _orders(path: Path, timezone: str) -> OrderRules:
    """A city without the file lives by the defaults; its zone is the city's."""
    rules = read(path, OrderRules) if path.is_file() else OrderRules()
    return rules.model_copy(update={"timezone": timezone})


def _queue(path: Path, orders: OrderRules) -> QueueRules:
    """A city that says nothing of its queue has the usual rules; hours are in its time zone, and
    follow the days off of its orders.
    """
    rules = read(path, QueueRules) if path.is_file() else QueueRules()
    return rules.model_copy(update={"timezone": orders.timezone, "calendar": orders.calendar})


def _wechat(path: Path) -> WechatFile:
    """A city without the file has neither buttons nor codes of its own."""
    return read(path, WechatFile) if path.is_file() else WechatFile()


def _links(path: Path) -> Links:
    """A city that is linked with nobody has no such file."""
    return read(path, Links) if path.exists() else Links()


def _readings(path: Path) -> dict[str, str]:
    """Most cities need none."""
    return read(path, _ReadingsFile).words if path.is_file() else {}


def _classes(path: Path) -> ClassesFile:
    """A city without the file classifies nothing."""
    return read(path, ClassesFile) if path.is_file() else ClassesFile()


def _check_references(city: City) -> None:
    targets = {target.name: target for target in city.targets.targets}
    for line in city.lines:
        try:
            check_next(f"line {line.number}", line.hunt_next, targets)
        except ValueError as error:
            raise ConfigError("config_invalid", f"city.yaml: {error}") from None
    regions = {region.code for region in city.regions}
    departments = {department.name for department in city.departments}
    _check_links(city, departments)
    for line in city.lines:
        if line.region and line.region not in regions:
            _unknown("city.yaml", f"line {line.number}", "region", line.region)
    for region in city.regions:
        if region.parent and region.parent not in regions:
            _unknown("regions.yaml", f"region {region.code}", "parent", region.parent)
    for form in (city.general_form, *city.forms):
        if form.department and form.department not in departments:
            _unknown("forms.yaml", f"form {form.name}", "department", form.department)
    _check_classes(city, departments)
    _check_scenes(city, regions, departments)


def _check_scenes(city: City, regions: set[str], departments: set[str]) -> None:
    for key, scene in city.wechat.scenes.items():
        if scene.region and scene.region not in regions:
            _unknown("wechat.yaml", f"scene {key}", "region", scene.region)
        if scene.department and scene.department not in departments:
            _unknown("wechat.yaml", f"scene {key}", "department", scene.department)


def _check_classes(city: City, departments: set[str]) -> None:
    for code, name in city.classes.departments():
        if name not in departments:
            _unknown("classes.yaml", f"class {code}", "department", name)


def _check_links(city: City, departments: set[str]) -> None:
    """A misspelt topic would leave its party untold in the very moment."""
    rules = city.urgent.get("danger")
    listed = rules if isinstance(rules, list) else []
    topics = {rule.get("topic") for rule in listed if isinstance(rule, dict)}
    for party in city.links.parties:
        for name in party.topics:
            if name not in topics:
                _unknown("links.yaml", f"party {party.name}", "topic", name)
        for name in party.departments:
            if name not in departments:
                _unknown("links.yaml", f"party {party.name}", "department", name)


def _unknown(file: str, owner: str, key: str, value: str) -> None:
    raise ConfigError("config_invalid", f"{file}: {owner}: {key}: {value} is not defined")
