"""The sheets of a workbook and their columns, under the heads that editors give them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

_DECORATION = re.compile(r"[\s*＊:：]+|[（(][^（）()]*[）)]")
_HEAD_ROWS = 10
"""A title may stand above the heads."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name here, the head we write, and other heads that editors use."""

    name: str
    head: str
    others: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A kind of sheet: its title, other titles, its columns."""

    title: str
    others: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


_CODE = Column("code", "事项代码", ("代码", "事项编码", "编码"))
_NAME = Column("name", "事项名称", ("事项", "名称"))
_ASPECT = Column("aspect", "方面", ("要素", "类别", "问题类型"), required=True)
_MARK = Column("mark", "版次", ("导出版次",))
"""What the row was exported from, see ``knowledge.sheetmark``; nobody edits it."""

MATTERS = Sheet("事项", ("事项清单", "事项列表"), (
    Column("code", "事项代码", _CODE.others, required=True),
    Column("name", "事项名称", _NAME.others, required=True),
    Column("department", "部门", ("主管部门", "责任部门", "承办部门")),
    Column("merged_line", "原热线", ("热线", "归并热线", "电话")),
    Column("aliases", "别名", ("别称", "又叫")),
    Column("phrasings", "说法", ("口语说法", "市民说法")),
    _MARK,
))  # fmt: skip
ANSWERS = Sheet("答复", ("答案", "答复口径", "口径", "知识"), (
    _CODE, _NAME, _ASPECT,
    Column("region", "地区", ("区县", "区域", "适用地区")),
    Column("text", "答复", ("答复内容", "答案", "内容", "标准答案", "口径"), required=True),
    Column("speech", "电话里说的", ("语音", "口语", "电话答复", "语音答复")),
    Column("document", "依据文件", ("依据", "政策依据", "来源", "文件"), required=True),
    Column("article", "条款", ("条文", "第几条")),
    Column("valid_from", "生效日期", ("生效", "开始日期", "施行日期", "生效时间")),
    Column("valid_to", "失效日期", ("失效", "截止日期", "有效期至", "到期日期", "失效时间")),
    Column("sample", "示例数据", ("示例", "是否示例")),
    _MARK,
))  # fmt: skip
QUESTIONS = Sheet("问法", ("问题", "相似问", "扩展问"), (
    _CODE, _NAME, _ASPECT,
    Column("text", "问法", ("问题", "相似问", "扩展问", "市民问法"), required=True),
    Column("use", "用途", ("类型", "用处")),
    _MARK,
))  # fmt: skip
SHEETS = (MATTERS, ANSWERS, QUESTIONS)
GOLDEN_USES = frozenset({"黄金", "黄金问题", "测试", "检查", "golden"})
LEARNED_USES = frozenset({"", "学习", "训练", "问法"})


@dataclass(frozen=True, slots=True)
class Heads:
    """Where the heads stand: the row (from 1), and column name → number (from 1).

    ``missing``: columns that must be there and are not; ``doubled``: heads that stand twice, with
    the second's column number.
    """

    row: int
    at: Mapping[str, int]
    missing: tuple[Column, ...]
    doubled: tuple[tuple[Column, int], ...]


def sheet_called(title: str) -> Sheet | None:
    """The kind of sheet that a title names."""
    plain = _plain(title)
    return next((sheet for sheet in SHEETS if plain in (sheet.title, *sheet.others)), None)


def find_heads(sheet: Sheet, rows: Sequence[Sequence[Any]]) -> Heads | None:
    """The row with most of the sheet's heads among the first; None where none has two of them."""
    found = [
        (len(at), -number, at, doubled)
        for number, row in enumerate(rows[:_HEAD_ROWS], start=1)
        for at, doubled in [_read(sheet, row)]
    ]
    best = max(found, key=lambda one: one[:2], default=None)
    if best is None or best[0] < 2:
        return None
    _, row, at, doubled = best
    missing = tuple(column for column in sheet.columns if column.required and column.name not in at)
    if "code" not in at and "name" not in at:
        missing = (sheet.column("code"), *missing)
    return Heads(-row, MappingProxyType(at), tuple(dict.fromkeys(missing)), doubled)


def _read(
    sheet: Sheet, row: Sequence[Any]
) -> tuple[dict[str, int], tuple[tuple[Column, int], ...]]:
    heads = {head: column for column in sheet.columns for head in (column.head, *column.others)}
    at: dict[str, int] = {}
    doubled: list[tuple[Column, int]] = []
    for number, cell in enumerate(row, start=1):
        column = heads.get(_plain(cell)) if isinstance(cell, str) else None
        if column is not None and column.name in at:
            doubled.append((column, number))
        elif column is not None:
            at[column.name] = number
    return at, tuple(doubled)


def _plain(head: str) -> str:
    return _DECORATION.sub("", head)
