"""What the scenarios' citizens say; kept in one place so that a test can prove it held out."""

from __future__ import annotations

ASKS = "我在外头租的房，想问问公积金可不可以拿出来交房租"
ASKS_ON = "都得准备些啥材料啊"
COMPLAINS = "我跟你们说个事啊，我们楼后头那个工地老在打桩，吵得人头都大了"
WHERE = "就在阳光花园二期五号楼后面"
WHEN = "打前天夜里就开始了"
PERSON = "算了我不跟你讲了，你帮我叫个真人过来听"
DANGER = "我这屋里煤气味儿特别大，头都晕了"

SCENARIO_SAYS = (ASKS, ASKS_ON, COMPLAINS, WHERE, WHEN, PERSON, DANGER)
