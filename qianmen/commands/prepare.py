"""``qianmen prepare``: what must be done once before the processes start, as ``up`` does it."""

from __future__ import annotations

from qianmen.commands.shared import Json, installation
from qianmen.console import print_json, show


def prepare(json: Json = False) -> None:
    """启动以前的准备：数据库、政策知识、管理员、模型；可以反复做。"""
    from qianmen.prepare import prepare as do

    done = do(installation())
    done.engine.dispose()
    if json:
        print_json({"city": done.city.name, "first_password": done.password})
    elif done.password:
        show(f"管理员 admin 的初始密码（只显示这一次）：{done.password}")
