"""The tables. The database is the truth; nothing a citizen waits for lives elsewhere."""

from __future__ import annotations

from store.tables.access import ApiKey, ApiRequest
from store.tables.base import Base
from store.tables.chats import (
    Attachment,
    CitizenLink,
    WechatCitizen,
    WechatMedia,
    WechatReply,
    wechat_identity,
)
from store.tables.knowledge import (
    Answer,
    AnswerEvent,
    KnowledgeRevision,
    LearningDone,
    Matter,
    Release,
)
from store.tables.links import Delivery, Linkage, Outbox
from store.tables.orders import PHONE, OrderEvent, OrderNumber, WorkOrder, WorkOrderField
from store.tables.queue import Agent, Alarm, Callback, HandoffEntry, Survey
from store.tables.staff import Staff
from store.tables.talk import Conversation, Feedback, Recording, Turn
from store.tables.trail import Audit, DataKey

__all__ = [
    "PHONE",
    "Agent",
    "Alarm",
    "Answer",
    "AnswerEvent",
    "ApiKey",
    "ApiRequest",
    "Attachment",
    "Audit",
    "Base",
    "Callback",
    "CitizenLink",
    "Conversation",
    "DataKey",
    "Delivery",
    "Feedback",
    "HandoffEntry",
    "KnowledgeRevision",
    "LearningDone",
    "Linkage",
    "Matter",
    "OrderEvent",
    "OrderNumber",
    "Outbox",
    "Recording",
    "Release",
    "Staff",
    "Survey",
    "Turn",
    "WechatCitizen",
    "WechatMedia",
    "WechatReply",
    "WorkOrder",
    "WorkOrderField",
    "wechat_identity",
]
