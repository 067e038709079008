"""The editor's desk: rights, forms, steps by two people, conflicts, publishing, imports."""

from __future__ import annotations

import html
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import openpyxl
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine

from knowledge import versions, words
from knowledge.editing import AnswerKey, Version
from knowledge.published import Published
from store.engine import reading, writing
from store.tables import Staff
from tests.fakes.office import Office
from tests.knowledge.desk import BUY, PAPERS, RENT, small_city
from tests.web.conftest import PASSWORD, Desk, audits, sign_in
from web.sessions import form_token, load

PART = {"x-qianmen-part": "1"}
JSON = {**PART, "accept": "application/json"}
NEW = {"text": "带身份证和租房合同。", "speech": "带身份证和合同。", "document": "某办法",
       "article": "第二条", "valid_from": "2026-01-01", "valid_to": "",
       "why": "新规定"}  # fmt: skip
SAVE = f"/{RENT}/材料/save"


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the searches of all these tests are trained to, once."""
    return tmp_path_factory.mktemp("learned")


@pytest.fixture
def office(tmp_path: Path, learned: Path, office: Office) -> Office:
    (tmp_path / "learned").symlink_to(learned)
    small_city(office.engine)
    return office


class Person(Desk):
    """Somebody at the knowledge pages."""

    def post(self, path: str, **form: object) -> Response:
        data = {"token": self.token, **form}
        return self.client.post(f"/knowledge{path}", data=data, headers=PART)

    def save(self, path: str = SAVE, **form: object) -> Response:
        data = {"token": self.token, **form}
        return self.client.post(f"/knowledge{path}", data=data, headers=JSON)

    def page(self, path: str) -> str:
        answer = self.get(f"/knowledge{path}")
        assert answer.status_code == 200, answer.text
        return html.unescape(answer.text)

    @property
    def token(self) -> str:
        key = self.office.app.state.site.key
        session = load(self.client.cookies["qianmen_staff"], key, self.office.now())
        assert session is not None
        return form_token(session.nonce, key)


Hire = Callable[[str, str, str], Person]


@pytest.fixture
def hire(office: Office, hashed: str) -> Iterator[Hire]:
    """Somebody with a role, signed in at a browser of their own."""
    with ExitStack() as stack:

        def hired(login: str, name: str, role: str) -> Person:
            with writing(office.engine) as session:
                session.add(Staff(login=login, name=name, password_hash=hashed, roles=[role],
                                  created_at=office.now()))  # fmt: skip
            client = stack.enter_context(TestClient(office.app, follow_redirects=False))
            assert sign_in(client, login, PASSWORD) == 303
            return Person(office, client)

        yield hired


@pytest.fixture
def wang(hire: Hire) -> Person:
    return hire("wang", "王芳", "editor")


@pytest.fixture
def zhao(hire: Hire) -> Person:
    return hire("zhao", "赵明", "approver")


def work(engine: Engine, key: AnswerKey = PAPERS) -> Version:
    with reading(engine) as session:
        found = versions.open_version(session, key)
    assert found is not None
    return found


def step(person: Person, name: str, **form: object) -> Response:
    version = work(person.office.engine)
    return person.post(f"/versions/{version.id}/{name}", edition=version.edition, **form)


def drafted(person: Person, **change: str) -> Version:
    answer = person.save(version=0, edition=0, **{**NEW, **change})
    assert answer.status_code == 200, answer.text
    return work(person.office.engine)


def test_the_list_finds_names_aliases_answers_and_codes(wang: Person) -> None:
    assert "租房提取公积金" in wang.page("")
    for wanted, other in (("付房租", "购房提取公积金"), ("gjj.buy", "租房提取公积金"),
                          ("购房提取公积金的材料是这样", "租房提取公积金")):  # fmt: skip
        found = wang.page(f"?q={wanted}")
        assert f'href="/knowledge/{RENT}"' in found or f'href="/knowledge/{BUY}"' in found
        assert f">{other}</a>" not in found
    assert "没有找到" in wang.page("?q=<script>&state=nothing")
    part = wang.client.get("/knowledge?q=租房", headers={"hx-request": "true"}).text
    assert "<!doctype" not in part


def test_two_people_write_and_approve_an_answer(wang: Person, zhao: Person) -> None:
    version = drafted(wang)
    assert (version.state, version.wording.text, version.note) == ("draft", NEW["text"], "新规定")
    assert "等核对" in step(wang, "submit").text
    refused = step(wang, "approve")
    assert refused.status_code == 403
    page = zhao.page(f"/{RENT}/材料")
    assert "核对无误" in page or "批准" in page
    assert step(zhao, "check").status_code == 200
    assert "已经批准" in step(zhao, "approve").text
    assert work(zhao.office.engine).state == "approved"
    assert audits(zhao.office.engine, "answer_approved") == [("zhao", PAPERS.id)]


def test_a_text_changed_alone_is_told_where_it_is_written_approved_and_published(
    wang: Person, zhao: Person
) -> None:
    """The small city says 材料是这样的。 on the telephone."""
    told = wang.save(version=0, edition=0, **{**NEW, "text": "满3年，带合同。",
                                              "speech": "材料是这样的。"}).json()  # fmt: skip
    for part in ("#steps", "#agreeing"):
        assert "文字改了，电话里说的没有改" in told["fresh"][part]
    assert 'name="seen"' in told["fresh"]["#steps"]
    speech = "满五年，带合同。"
    form = {**NEW, "text": "满3年，带合同。", "speech": speech}
    wang.save(version=told["version"], edition=told["edition"], **form)
    assert step(wang, "submit").status_code == 200  # seen, not barred
    mismatch = "电话里说“五”，文字里没有"
    for path in (f"/{RENT}/材料", "/publish"):
        page = zhao.page(path)
        assert mismatch in page
        assert speech in page
    assert step(zhao, "approve").status_code == 200
    version = work(zhao.office.engine)
    gate = zhao.post("/publish/check", version=[version.id]).text
    for shown in ("满3年，带合同。", speech, mismatch):
        assert shown in gate
    empty = zhao.post("/publish", version=[version.id], why=" ")
    assert (empty.status_code, "为什么发布" in empty.text) == (422, True)


def test_checking_ones_own_is_not_the_main_button(wang: Person, hire: Hire) -> None:
    drafted(wang)
    step(wang, "submit")
    assert '<button class="button" type="submit" aria-describedby="own-check">自己核对' in (
        wang.page(f"/{RENT}/材料")
    )
    other = hire("li", "李娜", "editor").page(f"/{RENT}/材料")
    assert '<button class="button button_main" type="submit">核对无误' in other


def test_a_name_of_another_matter_is_told_when_saved_and_before_approval(
    wang: Person, zhao: Person
) -> None:
    with reading(wang.office.engine) as session:
        edition = words.matter_words(session, BUY).edition
    taken = "公积金付房租"
    told = wang.save(f"/{BUY}/words/save", edition=edition, aliases=f"买房取公积金\n{taken}").json()
    fresh = {part: html.unescape(text) for part, text in told["fresh"].items()}
    message = f"“{taken}”这个说法已经是“租房提取公积金”的，不能又是“购房提取公积金”的"
    assert message in fresh["#clashes"]
    assert "先改掉再批准" in fresh["#pending"]
    page = zhao.page("/publish")
    for shown in (message, f"<ins>{taken}</ins>", "王芳写"):
        assert shown in page
    mended = wang.save(f"/{BUY}/words/save", edition=told["edition"], aliases="买房取公积金").json()
    assert "不能又是" not in mended["fresh"]["#clashes"]
    assert "先改掉" not in mended["fresh"]["#pending"]


def test_nobody_approves_their_own(zhao: Person) -> None:
    drafted(zhao)
    page = zhao.page(f"/{RENT}/材料")
    assert "自己写的答复要由另一位审核批准" in page
    refused = step(zhao, "approve")
    assert (refused.status_code, "另一个人" in refused.text) == (403, True)
    assert work(zhao.office.engine).state == "draft"


def test_a_rejection_needs_a_reason(wang: Person, zhao: Person) -> None:
    drafted(wang)
    step(wang, "submit")
    refused = step(zhao, "reject")
    assert (refused.status_code, "理由" in refused.text) == (422, True)
    assert step(zhao, "reject", why="金额不对").status_code == 200
    assert "金额不对" in wang.page(f"/{RENT}/材料/history")
    assert step(wang, "discard").headers["x-qianmen-to"].endswith("done=discard")


def test_two_editors_do_not_overwrite_each_other(wang: Person, zhao: Person) -> None:
    """Both opened the card before anything was in work; then both open the draft."""
    first = wang.save(version=0, edition=0, **NEW).json()
    late = zhao.save(version=0, edition=0, **{**NEW, "text": "另一种写法。"})
    told = late.json()
    assert (late.status_code, told["who"], told["theirs"]) == (409, "王芳", {"text": NEW["text"]})
    assert work(zhao.office.engine).wording.text == NEW["text"]
    mine = {**NEW, "text": "另一种写法。"}
    assert zhao.save(version=told["version"], edition=told["edition"], **mine).status_code == 200
    stale = wang.save(version=first["version"], edition=first["edition"], **NEW).json()
    assert (stale["code"], stale["theirs"]["text"]) == ("edit_conflict", "另一种写法。")


def test_a_version_is_saved_under_its_own_answer_only(wang: Person) -> None:
    version = drafted(wang)
    other = wang.save(f"/{BUY}/材料/save", version=version.id, edition=version.edition,
                      **{**NEW, "text": "别的"})  # fmt: skip
    assert other.status_code == 404
    assert work(wang.office.engine).wording.text == NEW["text"]


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [({"valid_from": "昨天"}, 422, "日期"), ({"valid_from": ""}, 422, "生效日期"),
     ({"text": "字" * 2001}, 422, "最长"), ({"region": "mars"}, 404, "没有地区"),
     ({"version": "999999"}, 404, "没有这个"), ({"edition": "-1"}, 422, "请求的内容不对"),
     ({"version": "x"}, 422, "请求的内容不对")],
)  # fmt: skip
def test_bad_input_is_told_and_changes_nothing(
    wang: Person, change: dict[str, str], status: int, says: str
) -> None:
    answer = wang.save(**{"version": "0", "edition": "0", **NEW, **change})
    assert (answer.status_code, says in answer.json()["message"]) == (status, True), answer.text
    with reading(wang.office.engine) as session:
        assert versions.open_version(session, PAPERS) is None


def test_an_unfinished_draft_is_kept_but_not_submitted(wang: Person) -> None:
    drafted(wang, text="", document="")
    assert "还没有写依据文件" in wang.page(f"/{RENT}/材料")
    assert step(wang, "submit").status_code == 422
    markup = "<img src=x onerror=alert(1)>"
    version = work(wang.office.engine)
    wang.save(version=version.id, edition=version.edition, **{**NEW, "text": markup})
    assert markup not in wang.get(f"/knowledge/{RENT}/材料").text


def test_unknown_matters_aspects_and_regions_are_not_found(wang: Person) -> None:
    for path in ("/no.such", "/no.such/材料", f"/{RENT}/天气", f"/{RENT}/材料?region=mars",
                 "/nothing", f"/{RENT}/天气/history", "/versions/9/sound"):  # fmt: skip
        assert wang.get(f"/knowledge{path}").status_code == 404, path


def test_words_are_staged_merged_and_approved_by_another(wang: Person, zhao: Person) -> None:
    with reading(wang.office.engine) as session:
        edition = words.matter_words(session, RENT).edition
    told = wang.save(f"/{RENT}/words/save", edition=edition, aliases="租房取公积金\n房租提取\n")
    assert told.status_code == 200
    assert "房租提取" in told.json()["fresh"]["#pending"]
    late = zhao.save(f"/{RENT}/words/save", edition=edition, aliases="另一个叫法").json()
    assert (late["code"], late["theirs"]["aliases"]) == ("edit_conflict", "租房取公积金\n房租提取")
    asked = zhao.save(f"/{RENT}/words/save", edition=told.json()["edition"], aspect="材料",
                      questions="租房提钱拿啥去\n")  # fmt: skip
    edition = asked.json()["edition"]
    assert zhao.post(f"/{RENT}/words/approve", edition=edition).status_code == 403  # wrote in it
    bad = wang.save(f"/{RENT}/words/save", edition=edition, aliases="短")
    assert (bad.status_code, "至少两个字" in bad.json()["message"]) == (422, True)
    assert wang.post(f"/{RENT}/words/drop", edition=edition).headers["x-qianmen-to"]
    assert "没有改动" in wang.page(f"/{RENT}")


def publishing(person: Person, **form: object) -> Response:
    return person.post("/publish", why="按新规定", **form)


def test_the_gate_shows_why_and_a_good_change_is_said_at_once(
    office: Office, wang: Person, zhao: Person
) -> None:
    with reading(office.engine) as session:
        edition = words.matter_words(session, BUY).edition
    taken = "租房提取公积金要带什么材料"
    wang.save(f"/{BUY}/words/save", edition=edition, aspect="材料", golden=taken)
    zhao.post("/publish/approve", item=[f"words:{BUY}:{edition + 1}"])
    checked = zhao.post("/publish/check", matter=[BUY])
    assert 'data-gate="refused"' in checked.text
    assert taken in checked.text
    refused = publishing(zhao, matter=[BUY])
    assert (refused.status_code, "租房提取公积金" in refused.text) == (409, True)
    drafted(wang)
    version = work(office.engine)
    assert wang.post("/publish/check", version=[version.id]).status_code == 200
    assert publishing(zhao, version=[version.id]).status_code == 409  # nobody approved it
    zhao.post("/publish/approve", item=[f"answer:{version.id}:{version.edition}"])
    live = Published(office.engine, cache=office.settings.data_dir / "learned")
    assert 'data-gate="ok"' in zhao.post("/publish/check", version=[version.id]).text
    assert publishing(zhao, version=[version.id]).headers["x-qianmen-to"].endswith("published")
    answer = live.search().by_code(RENT, "材料", now=office.now())
    assert answer is not None
    assert answer.text == NEW["text"]
    assert zhao.post("/publish/undo").status_code == 422
    assert zhao.post("/publish/undo", why="写错了").headers["x-qianmen-to"].endswith("undone")
    answer = live.search().by_code(RENT, "材料", now=office.now())
    assert answer is not None
    assert answer.text != NEW["text"]
    assert "已退回" in zhao.page("/publish")


def test_nothing_chosen_and_rubbish_ticks_are_refused(zhao: Person) -> None:
    assert zhao.post("/publish/check").status_code == 409
    assert zhao.post("/publish", version=["x"]).status_code == 422
    for item in ("answer:x:1", "words:", "rm -rf", "answer:1:²"):
        assert zhao.post("/publish/approve", item=[item]).status_code in (404, 422), item


def test_a_question_is_tried_with_and_without_the_drafts(wang: Person) -> None:
    told = html.unescape(wang.post("/try", text="租房取公积金要带什么证件").text)
    assert "租房提取公积金" in told
    assert "<meter" in told
    drafted(wang)
    told = html.unescape(wang.post("/try", text="租房取公积金要带什么证件", matter=RENT).text)
    assert NEW["text"] in told
    for text in ("", "<b>", "/intent{}", "字" * 5000):
        assert wang.post("/try", text=text).status_code == 200


def test_retiring_needs_a_reason_and_silences_the_answer(office: Office, zhao: Person) -> None:
    page = zhao.page(f"/{RENT}/材料")
    found = re.search(r"/knowledge(/versions/\d+/retire)", page)
    assert found is not None
    assert zhao.post(found[1], edition=1).status_code == 422
    assert zhao.post(found[1], edition=1, why="停办了").status_code == 204
    assert "没有答复" in zhao.page(f"/{RENT}/材料")


def test_a_new_matter_is_added_once(wang: Person) -> None:
    form = {"code": "civil.dog", "name": "养犬登记", "department": "公安局"}
    data = {"token": wang.token, **form}
    assert wang.client.post("/knowledge/new", data=data).headers["location"].endswith("civil.dog")
    assert "新事项" in wang.page("/civil.dog")
    again = wang.post("/new", **form)
    assert (again.status_code, "已经有了" in again.text) == (409, True)
    assert "养犬登记" in again.text
    assert wang.post("/new", **{**form, "code": "Dog!"}).status_code == 422


def exported(person: Person) -> bytes:
    answer = person.get("/knowledge/import/export.xlsx")
    assert answer.status_code == 200
    return answer.content


def upload(person: Person, path: str, name: str, data: bytes, **form: str) -> Response:
    return person.client.post(
        f"/knowledge/import{path}", data={"token": person.token, **form}, headers=PART,
        files={"file": (name, data)},
    )  # fmt: skip


def changed_sheet(data: bytes, old: str, new: str) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value == old:
                    cell.value = new
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_an_exported_sheet_comes_back_as_drafts(wang: Person) -> None:
    data = exported(wang)
    assert "修改 <b>0</b>" in upload(wang, "", "知识.xlsx", data).text
    data = changed_sheet(data, "租房提取公积金的材料是这样的。", "表格里改过的。")
    report = upload(wang, "", "知识.xlsx", data)
    assert (report.status_code, PAPERS.id in report.text) == (200, True)
    assert "<b>租房提取公积金的材料</b>" in report.text
    assert re.search("<del>[^<]+</del><ins>[^<]+</ins>", report.text)
    with reading(wang.office.engine) as session:
        assert versions.open_version(session, PAPERS) is None
    seen = report.text.split('name="seen" value="')[1].split('"')[0]
    other = changed_sheet(data, "表格里改过的。", "又改了。")
    assert "不一样" in upload(wang, "/apply", "知识.xlsx", other, seen=seen).text
    assert "已经导入" in upload(wang, "/apply", "知识.xlsx", data, seen=seen).text
    assert work(wang.office.engine).wording.text == "表格里改过的。"


def test_a_broken_sheet_names_its_row_and_changes_nothing(wang: Person) -> None:
    data = changed_sheet(exported(wang), "材料", "天气")
    report = upload(wang, "", "知识.xlsx", data)
    assert report.status_code == 422
    assert re.search(r"<code>[^<]+\d+</code>", report.text)
    assert "天气" in report.text
    for name, bad in (("a.xlsx", b"no sheet"), ("a.yaml", b"[unclosed"), ("a.exe", b"MZ"),
                      ("a.xlsx", b""), ("../../x.yaml", b"code: 1\n")):  # fmt: skip
        assert upload(wang, "", name, bad).status_code == 422, name
        assert upload(wang, "/apply", name, bad).status_code == 422, name
    assert (
        wang.client.post("/knowledge/import", data={"token": wang.token}, headers=PART).status_code
        == 422
    )
    with reading(wang.office.engine) as session:
        assert versions.in_work(session) == ()


def test_the_yaml_export_holds_every_matter(wang: Person) -> None:
    data = wang.get("/knowledge/import/export.zip").content
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert {f"knowledge/{RENT}.yaml", f"knowledge/{BUY}.yaml"} <= set(names)


def test_the_telephones_sound_is_a_wav_and_not_for_ever(wang: Person, office: Office) -> None:
    version = drafted(wang)
    path = f"/knowledge/versions/{version.id}/sound"
    answer = wang.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.content[:4] == b"RIFF"
    assert int.from_bytes(answer.content[24:28], "little") == 8000
    statuses = {wang.get(path).status_code for _ in range(14)}
    assert statuses == {200, 429}


READS = ("", "/expiring", "/publish", "/try", "/import", "/import/export.xlsx",
         f"/{RENT}", f"/{RENT}/材料", f"/{RENT}/材料/history")  # fmt: skip
EDITS = ("/new", SAVE, f"/{RENT}/words/save", f"/{RENT}/words/drop", "/versions/1/submit",
         "/versions/1/check", "/versions/1/reject", "/versions/1/discard", "/publish/check",
         "/import", "/import/apply")  # fmt: skip
APPROVES = (f"/{RENT}/words/approve", "/versions/1/approve", "/versions/1/retire", "/publish",
            "/publish/approve", "/publish/undo")  # fmt: skip


def test_who_may_read_edit_and_approve(hire: Hire) -> None:
    may = {"supervisor": (), "editor": EDITS, "approver": EDITS + APPROVES}
    for role, allowed in may.items():
        person = hire(f"a-{role}", role, role)
        for path in READS:
            assert person.get(f"/knowledge{path}").status_code == 200, (role, path)
        for path in (*EDITS, *APPROVES):
            refused = "right_missing" in person.post(path, edition=7).text
            assert refused == (path not in allowed), (role, path)
        page = person.page(f"/{RENT}/材料")
        assert ("readonly" in page) == (role == "supervisor")
    agent = hire("a-agent", "坐席", "agent")
    assert {agent.get(f"/knowledge{path}").status_code for path in READS} == {403}
    assert 'href="/knowledge"' not in agent.get("/orders").text


def test_forms_from_elsewhere_and_strangers_change_nothing(
    wang: Person, visitor: TestClient
) -> None:
    for path in (*EDITS, *APPROVES, "/try"):
        form = {"edition": "1", "token": "0" * 64, **NEW}
        assert visitor.post(f"/knowledge{path}", data=form).status_code in (303, 403), path
    assert wang.client.post(f"/knowledge{SAVE}", data=NEW, headers=JSON).status_code == 403
    assert visitor.get(f"/knowledge/{RENT}").headers["location"].startswith("/staff/sign-in")
    late = visitor.post(f"/knowledge{SAVE}", data={**NEW, "token": "x"}, headers=JSON)
    assert late.status_code in (401, 403)
    with reading(wang.office.engine) as session:
        assert versions.in_work(session) == ()
