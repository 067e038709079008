"""What an import would change, and the change itself: drafts and staged words, never what is said.

What the file leaves out stays. A row that says which export it is from (``knowledge.sheetmark``)
and was not edited in the sheet changes nothing, whatever is said by now. What an editor has in
work, and what was edited in the sheet and changed here since, is not touched: the report says
``kept``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge import versions
from knowledge import words as matterwords
from knowledge.editing import OPEN, Act, AnswerKey, EditError, MatterWords, Place, Wording
from knowledge.exporting import newest_versions, published_contents
from knowledge.importing import NO_DAY
from knowledge.importing import Imported as Imported
from knowledge.importing import ImportFault as ImportFault
from knowledge.importing import read_import as read_import
from knowledge.matters import CITY, AnswerEntry
from knowledge.planned import Change, Plan, Planned, differing
from knowledge.publish import Selection
from knowledge.schedule import own_end
from knowledge.sheetmark import Origin, answer_digest, field_digest
from knowledge.versionrows import note, steps_of, version_of, wording_of
from knowledge.wording import check_key, faults, speech_of
from knowledge.words import merged, words_of
from store.tables import Answer, Matter, Staff

NOBODY = "command-line"
"""Who writes what a command imports; nobody writes by hand under this name."""


def plan(session: Session, imported: Imported, place: Place, today: date, by: str = "") -> Plan:
    """What applying would do. Reads only. ``by``: who would import: their own drafts are renewed.

    Where the file has faults, they are all that is told.
    """
    if imported.faults:
        return Plan((), (), imported.faults)
    planning = _Planning(session, imported, place, today, by)
    answers = tuple(planning.answer(entry) for entry in imported.answers)
    words = tuple(
        one for code, fields in imported.words.items() for one in planning.words(code, fields)
    )
    return Plan(answers, words, tuple(planning.faults))


def apply(
    session: Session, act: Act, place: Place, imported: Imported, *, writer: str = ""
) -> Selection:
    """Make drafts and staged words of everything that is added or changed; what they are.

    ``writer``: who wrote it, where it is not the importer; neither of them may approve it.
    Raises ``import_refused`` (:class:`EditError`; ``data``: ``faults``) and changes nothing where
    there are faults.
    """
    found = plan(session, imported, place, place.day(act.at), act.by)
    if not found.ok:
        first = found.faults[0].message
        raise EditError(
            "import_refused", f"文件有 {len(found.faults)} 处问题，没有导入：{first}",
            faults=[asdict(fault) for fault in found.faults],
        )  # fmt: skip
    matters = _stage_words(session, act, found, writer)
    wanted = {one.id for one in found.answers if one.change in ("added", "changed")}
    made = [
        _draft(session, act, place, entry, writer)
        for entry in imported.answers
        if _key(entry).id in wanted
    ]
    return Selection(tuple(made), matters)


def export_workbook(session: Session, place: Place, today: date) -> bytes:
    """What is published (and every matter's words) as XLSX, for Excel and WPS."""
    from knowledge.sheetwrite import workbook  # openpyxl: only who exports loads it

    return workbook(published_contents(session, today), place, newest_versions(session))


def approve_all(session: Session, act: Act, place: Place, selection: Selection) -> None:
    """Check and approve everything in ``selection``: for an approver who imports an office's file.

    Raises ``second_person`` where ``act.by`` wrote in any of it.
    """
    for version in selection.versions or ():
        seen = versions.get(session, version)
        checked = versions.check(session, act, place, version, edition=seen.edition)
        versions.approve(session, act, place, version, edition=checked.edition)
    for code in selection.matters or ():
        staged = matterwords.matter_words(session, code)
        matterwords.approve_words(session, act, code, edition=staged.edition)


class _Planning:
    """One import beside what there is."""

    def __init__(
        self, session: Session, imported: Imported, place: Place, today: date, by: str
    ) -> None:
        self._session, self._imported, self._place = session, imported, place
        self._today, self._by = today, by
        self._matters = {row.code: row for row in session.scalars(select(Matter))}
        self._rows: dict[AnswerKey, list[Answer]] = {}
        for row in session.scalars(select(Answer).order_by(Answer.version)):
            key = AnswerKey(row.matter_code, row.aspect, row.region)
            self._rows.setdefault(key, []).append(row)
        self.faults: list[ImportFault] = []

    def answer(self, entry: AnswerEntry) -> Planned:
        key = _key(entry)
        return replace(self._answer(key, entry), title=self._title(key))

    def _answer(self, key: AnswerKey, entry: AnswerEntry) -> Planned:
        origin, rows = self._imported.origins.get(key.id), self._rows.get(key, [])
        if origin is not None and not origin.touched and rows:
            return Planned("unchanged", key.id, "", None, None)
        self._check(key)
        said = next((row for row in reversed(rows) if row.state == "published"), None)
        there = _wording(self._session, said) if said is not None else None
        new = resolved(entry, there, self._today)
        open_ = next((row for row in reversed(rows) if row.state in OPEN), None)
        old = wording_of(open_) if open_ is not None else there
        writers = version_of(self._session, open_).writers if open_ is not None else ()
        theirs = bool(set(writers) - {self._by})
        standing = (old, there) if theirs else (old,)
        if any(one is not None and _alike(one, new) for one in standing):
            return Planned("unchanged", key.id, "", None, None)
        why = f"{self._who(open_.changed_by)}正在写这条答复" if open_ is not None and theirs else ""
        if not why and origin is not None and rows:
            why = self._changed_since(key, origin, open_)
        if why:
            return Planned("kept", key.id, "", *differing(old, new), why)
        self._judge(key, new)
        change: Change = "added" if old is None else "changed"
        return Planned(change, key.id, "", *differing(old, new))

    def _changed_since(self, key: AnswerKey, origin: Origin, open_: Answer | None) -> str:
        """Who changed the answer since the file was exported, for people; '' where nobody did."""
        by_hand = open_ is not None and not _from_file(self._session, open_)
        if by_hand and self._by != NOBODY:
            return "您自己的草稿在网页上动过，没有覆盖"
        said = [row for row in self._rows[key] if row.state == "published"]
        entry = self._exported.get(key)
        same = entry is not None and answer_digest(entry) == origin.digest
        newer = (row for row in said if row.version > origin.version)
        if same and not any(row.valid_from > self._today for row in newer):
            return ""
        if not said:
            return "导出以后这条答复停用了，没有覆盖"
        return f"导出以后又改过（第 {said[-1].version} 版），没有覆盖"

    @cached_property
    def _exported(self) -> dict[AnswerKey, AnswerEntry]:
        """What an export would hold now."""
        return {_key(one): one for one in published_contents(self._session, self._today).answers}

    def words(self, code: str, fields: Mapping[str, Any]) -> Iterator[Planned]:
        row = self._matters.get(code)
        if row is None:
            if not (fields.get("name") and fields.get("department")):
                self._fault(code, "matter_unknown", f"没有事项 {code}；新事项要写名称和部门")
            name = str(fields.get("name", ""))
            for field, new in fields.items():
                yield Planned("added", code, field, None, new, title=name)
            return
        words = words_of(row)
        for field, given in fields.items():
            yield replace(self._field(words, field, given), title=row.name)

    def _field(self, words: MatterWords, name: str, given: Any) -> Planned:
        origin = self._imported.origins.get(f"{words.code} {name}")
        old, live = words.staged[name], words.live[name]
        new = self._value(words.code, name, old, given)
        others = [writer for writer in words.writers if writer != self._by]
        published = self._value(words.code, name, live, given)
        untouched = origin is not None and not origin.touched
        if untouched or old == new or (others and published == live):
            return Planned("unchanged", words.code, name, None, None)
        why = f"{self._who(others[0])}改的说法还没有发布" if others else ""
        standing = live if self._by == NOBODY else old
        if not why and origin is not None and field_digest(name, standing) != origin.digest:
            why = "导出以后又改过，没有覆盖"
        if why:
            return Planned("kept", words.code, name, old, new, why)
        return Planned("changed" if old else "added", words.code, name, old or None, new)

    def _value(self, code: str, name: str, there: Any, given: Any) -> Any:
        """The field with what the file gives; questions that were not edited are not put back."""
        if not self._imported.partial:
            return given
        if name in ("questions", "golden"):
            left = self._imported.unedited
            given = {
                aspect: [text for text in texts if (code, name, aspect, text) not in left]
                for aspect, texts in given.items()
            }
            given = {aspect: texts for aspect, texts in given.items() if texts}
        return merged(name, there, given)

    def _who(self, login: str) -> str:
        name = self._session.scalar(select(Staff.name).where(Staff.login == login))
        return f"{name}（{login}）" if name else f"{login} "

    def _title(self, key: AnswerKey) -> str:
        row = self._matters.get(key.matter)
        given = self._imported.words.get(key.matter, {})
        name = row.name if row is not None else given.get("name", key.matter)
        region = self._place.regions.get(key.region, key.region)
        return f"{name}的{key.aspect}" + (f"（{region}）" if key.region != CITY else "")

    def _check(self, key: AnswerKey) -> None:
        if key.matter not in self._matters and key.matter not in self._imported.words:
            self._fault(key.id, "matter_unknown", f"没有事项 {key.matter}")
        try:
            check_key(key, self._place)
        except EditError as error:
            self._fault(key.id, error.code, str(error))

    def _judge(self, key: AnswerKey, wording: Wording) -> None:
        for fault in faults(wording, self._today):
            self._fault(key.id, fault.code, fault.message)

    def _fault(self, what: str, code: str, message: str) -> None:
        place = self._imported.places.get(what, what)
        self.faults.append(ImportFault(place, code, f"{place}：{message}"))


def resolved(entry: AnswerEntry, said: Wording | None, today: date) -> Wording:
    """The entry's wording; what a sheet leaves empty is as it was where the text is the same."""
    same = said is not None and said.text == entry.text
    speech = said.speech if said and same and not entry.speech else entry.speech
    start = entry.valid_from
    if start == NO_DAY:
        start = said.valid_from if said is not None else today
    return Wording(entry.text, speech, entry.document, entry.article, start, entry.valid_to,
                   entry.sample)  # fmt: skip


def _stage_words(session: Session, act: Act, found: Plan, writer: str) -> tuple[str, ...]:
    changes: dict[str, dict[str, Any]] = {}
    for one in found.words:
        if one.change in ("added", "changed"):
            changes.setdefault(one.id, {})[one.field] = one.new
    for code, fields in changes.items():
        author = replace(act, by=writer) if writer else act
        if session.get(Matter, code) is None:
            matterwords.add_matter(session, author, code, fields)
        else:
            edition = matterwords.matter_words(session, code).edition
            matterwords.stage(session, author, code, fields, edition=edition)
        matterwords.note_writer(session, code, act.by)
    return tuple(changes)


def _draft(session: Session, act: Act, place: Place, entry: AnswerEntry, writer: str) -> int:
    author = replace(act, by=writer) if writer else act
    draft = versions.begin(session, author, place, _key(entry))
    wording = resolved(entry, draft.wording if draft.wording.text else None, place.day(act.at))
    saved = versions.save(session, author, draft.id, wording, edition=draft.edition)
    row = session.get_one(Answer, saved.id)
    mark = {"edition": row.edition}
    note(session, act, row, "imported", before=row.state, data=mark)  # the importer wrote it too
    return saved.id


def _key(entry: AnswerEntry) -> AnswerKey:
    return AnswerKey(entry.matter, entry.aspect, entry.region)


def _from_file(session: Session, row: Answer) -> bool:
    """Whether an import wrote the draft as it stands: a corrected file may renew it."""
    steps = steps_of(session, row.id)
    return bool(steps) and steps[-1].data.get("edition") == row.edition


def _wording(session: Session, row: Answer) -> Wording:
    return replace(wording_of(row), valid_to=own_end(session, row))


def _alike(old: Wording, new: Wording) -> bool:
    return replace(old, speech=speech_of(old)) == replace(new, speech=speech_of(new))
