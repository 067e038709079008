"""Where the citizen is, as far as it changes what is said: asked only where texts differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.actions.outcome import Decided, ask, say
from config.city import City, Region
from knowledge.search import Found
from language.normal import for_matching
from turns.replies import Option, Say

PREFIX = "region:"  # of an option's value; a region's code follows
_ONLY = re.compile(
    r"(?:不是?|对|是|哦|我们?|俺们?|咱们?|这边|这里|人|家|住|在|就|是|的|户口|这儿|那儿|那边|那里|呢|那|要是|"
    r"如果|啊|吧|了|问|想|要|听)*"
)
_WHO = "[我俺咱你他她们家爸妈父母亲老公婆人孩子儿女爱现]"
_AFTER = "(?:这边|那边|这儿|那儿|住|的|人)*[，,。 ]*"
_BESIDE = r"(?!路|街|大道|医院|小区|大桥|中学|小学|派出所|那条)"


def region_code(name: str, city: City) -> str:
    """The code of a region that is given by code, name or alias; '' for any other text."""
    bare = name.strip()
    for region in city.regions:
        if bare and bare in (region.code, region.name, *region.aliases):
            return region.code
    return ""


def region_said(text: str, city: City) -> str:
    """The one region of the city that ``text`` names; '' where it names none, or two apart."""
    named = [region.code for region in city.regions if _named(region, text)]
    inner = [code for code in named if not any(code in _around(one, city) for one in named)]
    return inner[0] if len(inner) == 1 else ""


def only_region(text: str, city: City) -> str:
    """The region that is all ``text`` says: 我在临江县; else ''."""
    code = region_said(text, city)
    rest = for_matching(text)
    for region in city.regions:
        if region.code == code:
            for name in sorted((region.name, *region.aliases), key=len, reverse=True):
                rest = rest.replace(name, "")
    return code if code and _ONLY.fullmatch(rest) else ""


def without_region(text: str, city: City) -> str:
    """``text`` without the region it names and the words that place somebody there: 我妈在西河区，
    去哪办 → 去哪办; unchanged where nothing would be left.
    """
    names = sorted({n for region in city.regions for n in (region.name, *region.aliases)}, key=len)
    listed = "|".join(map(re.escape, reversed(names)))
    there = rf"(?:{_WHO}{{0,4}}[在住是]+)?(?:{listed}){_BESIDE}{_AFTER}"
    return re.sub(there, "", text).strip() or text


def with_elsewhere(decided: Decided, found: Found, city: City) -> Decided:
    """The city's text, said to be that, and the question whether another one holds; ``decided``
    itself where the region is known or all regions have the same text.
    """
    places: tuple[Option, ...] = getattr(found, "elsewhere", ())
    if not places or found.context.region or decided.decision != "answer":
        return decided
    first, *rest = decided.replies
    if not isinstance(first, Say):
        return decided
    prompts = city.prompts
    names = "、".join(option.label for option in places)
    named = replace(
        first,
        text=prompts.fill("in_city", text=first.text),
        speech=prompts.fill("in_city", text=first.speech or first.text),
    )
    question = ask(prompts.fill("elsewhere", regions=names), "choice", options=places)
    offered = (*places, *decided.offered)
    return replace(decided, replies=(named, *rest, question), offered=offered, soft=True)


def noted(city: City) -> Decided:
    """What is told where somebody says only where they are."""
    return Decided((say(city.prompts.region_noted),), "talk")


def _named(region: Region, text: str) -> bool:
    return any(
        name in text and re.search(re.escape(name) + _BESIDE, text)
        for name in (region.name, *region.aliases)
    )


def _around(code: str, city: City) -> Iterable[str]:
    parents = {region.code: region.parent for region in city.regions}
    seen: list[str] = []
    while (code := parents.get(code, "")) and code not in seen:
        seen.append(code)
    return seen
