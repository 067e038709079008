"""What goes wrong on a page or in the API: a stable code for programs, a sentence for people."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Scope

from bot.errors import ConversationError
from chat.uploads import UploadError
from handoff.order.model import OrderError
from knowledge.editing import EditError
from knowledge.published import KnowledgeError
from sealing.errors import SealError
from store.faults import fault_of
from web.templating import page

SENTENCES = {
    "not_found": "地址可能写错了，或者内容已经不在了。",
    "order_unknown": "没有找到这张工单。",
    "conversation_unknown": "没有找到这段对话。",
    "recording_unknown": "没有找到这段录音。",
    "not_signed_in": "请先登录。",
    "right_missing": "您的角色不能打开这一页。需要的话，请联系系统管理员给您加上相应的角色。",
    "password_must_change": "请先换成自己的密码。",
    "staff_unknown": "没有这个账号。",
    "form_expired": "页面放得太久了，请返回刷新后再试一次。",
    "request_invalid": "请求的内容不对，请检查后再试。",
    "method_not_allowed": "这个地址不接受这样的请求。",
    "reply_not_possible": "这段对话现在不能在这里回复。",
    "knowledge_unavailable": "知识库暂时查不了，请稍后再试。",
    "sound_unavailable": "语音暂时合成不出来，请稍后再试。",
    "listened_too_often": "听得太快了，请过几秒再试。",
    "file_missing": "请先选一个文件。",
    "inbox_incomplete": "请选好事项和方面，并至少留一句问法。",
    "link_unknown": "没有这个联动单位。",
    "signature_missing": "消息没有签名。",
    "signature_malformed": "签名的格式不对。",
    "signature_wrong": "签名不对。",
    "signature_stale": "消息的时间和本机相差太多，请检查两边的时钟。",
    "message_replayed": "这条消息已经收过了。",
    "message_too_large": "消息太大。",
    "message_malformed": "消息的内容不对。",
    "push_not_allowed": "没有约定由这个单位推送工单。",
    "delivery_unknown": "没有发过这个编号的消息。",
    "too_many_requests": "请求太快了，请过一秒再试。",
    "key_reused": "这个幂等键已经用在另一个请求上。",
    "conversation_secret": "市民要求保密，这段对话不是您经手的，不能看。已经记录。",
    "verb_unknown": "没有这个步骤。",
    "store_down": "数据库暂时连不上，请稍后再试。已经提交的内容不会丢。",
    "data_key_missing": "这些内容加了密，而系统没有设置密钥，请联系系统管理员。",
    "data_key_wrong": "这些内容是用另一把密钥加密的，请联系系统管理员。",
    "sealed_broken": "这些加密的内容已经损坏，打不开，请联系系统管理员。",
    "internal": "系统出了点问题，请稍后再试。",
}
_TITLES = {403: "不能打开这一页", 404: "页面不存在"}
_BY_STATUS = {401: "not_signed_in", 404: "not_found", 405: "method_not_allowed"}
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_log = structlog.get_logger(__name__)


class ProblemError(Exception):
    """Answered as JSON for programs and as a page for people."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


EDIT_STATUS = {
    "answer_unknown": 404, "matter_unknown": 404, "aspect_unknown": 404, "region_unknown": 404,
    "edit_conflict": 409, "step_refused": 409, "matter_taken": 409, "publish_busy": 409,
    "nothing_to_publish": 409, "nothing_to_undo": 409, "undo_conflict": 409, "gate_refused": 409,
    "second_person": 403,
}  # fmt: skip
"""Of an :class:`EditError`; 422 where it is not named."""
ORDER_STATUS = {"order_unknown": 404, "verb_unknown": 404} | dict.fromkeys(
    ("answer_missing", "department_missing", "department_same", "extension_long", "field_unknown",
     "merge_self", "merge_unknown", "reason_missing", "result_missing", "value_invalid",
     "value_unknown"), 422,
)  # fmt: skip
"""Of an :class:`OrderError`; 409 where it is not named: the order is not where that can be."""


def answer_problem(
    scope: Scope, status: int, code: str, *, sentence: str = "", data: Mapping[str, Any] = _NOTHING
) -> Response:
    """The answer for a problem, in the form that this address, or this request, speaks."""
    connection = HTTPConnection(scope)
    sentence = sentence or SENTENCES.get(code, SENTENCES["internal"])
    if connection.url.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": sentence, "status": status,
                   "code": code, "message": sentence, **data}  # fmt: skip
        return JSONResponse(problem, status, media_type="application/problem+json")
    if _speaks_json(connection.url.path) or _wants_json(connection):
        return JSONResponse({"code": code, "message": sentence, **data}, status)
    if _wants_part(connection):
        return page(connection, "problem_part.html", {"sentence": sentence, "code": code}, status)
    if code == "not_signed_in":
        return _to_sign_in(connection)
    if code == "password_must_change":
        return _to(connection, "/staff/account")
    title = _TITLES.get(status, "出了点问题")
    values = {"sentence": sentence, "code": code, "title": title}
    return page(connection, "problem.html", values, status)


def install(app: FastAPI, recall: Callable[[Request], None]) -> None:
    """Answer every known kind of error.

    ``recall`` finds out who is signed in where no route has asked, so that the page keeps its menu.
    """

    _install_refusals(app)

    @app.exception_handler(ProblemError)
    async def _problem(request: Request, error: ProblemError) -> Response:
        return answer_problem(request.scope, error.status, error.code)

    @app.exception_handler(SealError)
    async def _sealed(request: Request, error: SealError) -> Response:
        _log.error("cannot_open", code=error.code)
        return answer_problem(request.scope, 503, error.code)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        code = _BY_STATUS.get(error.status_code, "request_invalid")
        if not _speaks_json(request.url.path):
            await run_in_threadpool(recall, request)
        response = answer_problem(request.scope, error.status_code, code)
        response.headers.update(error.headers or {})  # Allow, with a 405
        return response

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, _error: RequestValidationError) -> Response:
        return answer_problem(request.scope, 422, "request_invalid")

    @app.exception_handler(SQLAlchemyError)
    async def _store(request: Request, error: SQLAlchemyError) -> Response:
        _log.error("store_failed", code="store_down", fault=fault_of(error))
        return answer_problem(request.scope, 503, "store_down")

    @app.exception_handler(KnowledgeError)
    async def _knowledge(request: Request, error: KnowledgeError) -> Response:
        _log.error("knowledge_unavailable", code=error.code)
        return answer_problem(request.scope, 503, error.code)

    @app.exception_handler(ConversationError)
    async def _conversation(request: Request, error: ConversationError) -> Response:
        status = 404 if error.code == "conversation_unknown" else 503
        return answer_problem(request.scope, status, error.code)


def _install_refusals(app: FastAPI) -> None:
    """What a rule of an answer's or an order's life refuses, in its own words."""

    @app.exception_handler(EditError)
    async def _edit(request: Request, error: EditError) -> Response:
        status = EDIT_STATUS.get(error.code, 422)
        sentence = f"{error}。".replace("。。", "。")
        return answer_problem(request.scope, status, error.code, sentence=sentence, data=error.data)

    @app.exception_handler(OrderError)
    async def _order(request: Request, error: OrderError) -> Response:
        status = ORDER_STATUS.get(error.code, 409)
        return answer_problem(request.scope, status, error.code, sentence=f"{error}。")

    @app.exception_handler(UploadError)
    async def _upload(_request: Request, error: UploadError) -> Response:
        wait_s = math.ceil(error.wait_s)
        body = {"code": error.code, "text": error.text, "retry": error.retry,
                "retry_after_s": wait_s}  # fmt: skip
        return JSONResponse(body, error.status, {"Retry-After": str(wait_s)} if wait_s else None)


def _speaks_json(path: str) -> bool:
    return path.startswith("/api/") or path in ("/livez", "/readyz")


def _wants_json(connection: HTTPConnection) -> bool:
    """Our own scripts say so."""
    return connection.headers.get("accept") == "application/json"


def _wants_part(connection: HTTPConnection) -> bool:
    """Our own scripts put the answer into the page that is there."""
    return connection.headers.get("x-qianmen-part") is not None


def _to_sign_in(connection: HTTPConnection) -> Response:
    """Send a person to the sign-in page and back."""
    if connection.headers.get("hx-request"):
        return _to(connection, "/staff/sign-in")
    wanted = connection.url.path if connection.scope.get("method") == "GET" else "/staff"
    return _to(connection, f"/staff/sign-in?next={quote(wanted)}")


def _to(connection: HTTPConnection, path: str) -> Response:
    """Send a person elsewhere; htmx follows only its own header."""
    if connection.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": path})
    headers: dict[str, Any] = {"Cache-Control": "no-store"}
    return RedirectResponse(path, 303, headers)
