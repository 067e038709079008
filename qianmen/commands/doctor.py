"""``qianmen doctor``: what is wrong and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from config.errors import ConfigError
from qianmen.commands.shared import Json, installation
from qianmen.console import print_json, show
from qianmen.doctor.finding import Finding


def doctor(
    json: Json = False,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="连慢的也查：通读语音模型并试着加载。")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="没有问题的项目也一项一行。")] = False,
    clock_is_right: Annotated[
        bool, typer.Option("--clock-is-right", help="时钟跳过以后：确认现在的时间是对的。")
    ] = False,
) -> None:
    """体检：哪里有问题，怎么办；没有错误时退出码为 0。"""
    from qianmen.doctor.examination import examine, report_lines, summary
    from qianmen.doctor.finding import as_json, healthy
    from qianmen.keeper.watch import confirmation_file

    try:
        settings = installation()
    except ConfigError as failure:
        found: tuple[tuple[str, Finding], ...] = (("配置", _unusable(failure)),)
    else:
        if clock_is_right:
            path = confirmation_file(settings)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        found = examine(settings, thorough=thorough)
    findings = tuple(finding for _, finding in found)
    if json:
        print_json(as_json(findings))
    else:
        for line in (*report_lines(found, everything=everything), summary(findings)):
            show(line)
    raise typer.Exit(0 if healthy(findings) else 1)


def _unusable(failure: ConfigError) -> Finding:
    do = "按提示改环境变量、.env 或者密钥文件。"
    return Finding(failure.code, "error", "设置", str(failure), do)
