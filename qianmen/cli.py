"""The command line that others build on. ``--json``: one document on standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from config.logs import configure
from config.settings import Settings
from qianmen.advice import told
from qianmen.commands.api_key import api_key
from qianmen.commands.asr import asr
from qianmen.commands.calls import calls
from qianmen.commands.data import data
from qianmen.commands.db import db
from qianmen.commands.doctor import doctor
from qianmen.commands.evaluate import evaluate
from qianmen.commands.knowledge import knowledge
from qianmen.commands.link import link
from qianmen.commands.models import models
from qianmen.commands.orders import orders
from qianmen.commands.prepare import prepare
from qianmen.commands.shared import Json, installation, run
from qianmen.commands.staff import staff
from qianmen.commands.trace import trace
from qianmen.commands.wechat import wechat
from qianmen.console import print_json, say, show
from qianmen.usage import speak_chinese

speak_chinese()
app = typer.Typer(
    help="前门：12345 热线的前门。", no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False,
)  # fmt: skip
bench = typer.Typer(help="测量速度，和同行在同一次运行里并排。", no_args_is_help=True)
app.add_typer(bench, name="bench")
app.add_typer(models, name="models")
app.add_typer(asr, name="asr")
app.add_typer(calls, name="calls")
app.add_typer(orders, name="orders")
app.add_typer(link, name="link")
app.add_typer(wechat, name="wechat")
app.add_typer(db, name="db")
app.add_typer(data, name="data")
app.add_typer(staff, name="staff")
app.add_typer(api_key, name="api-key")
app.add_typer(knowledge, name="knowledge")
app.command()(doctor)
app.command()(evaluate)
app.command()(trace)
app.command()(prepare)

Say = Annotated[list[str], typer.Option("--say", help="市民说的一句话，可以给多次。")]


@app.command()
def up(
    demonstrate: Annotated[
        bool, typer.Option("--show", help="还没有人用过时，就绪后先演示一通电话和一段对话。")
    ] = False,
) -> None:
    """启动全部进程，一直运行到 Ctrl-C。"""
    from qianmen.demo import show_at_first_start
    from qianmen.up import front_door, stop_asked, welcome

    async def work(settings: Settings) -> None:
        async with front_door(settings) as prepared:
            welcome(settings, prepared)
            if demonstrate:
                await show_at_first_start(settings, prepared.engine)
            stopped = stop_asked()  # before it is said that one may
            say("按 Ctrl-C 停止。")
            await stopped.wait()
            say("正在停止……")
        say("已停止。")

    run(work(installation()))


@app.command()
def status(json: Json = False) -> None:
    """各个进程的状态；全部就绪时退出码为 0。"""
    from qianmen.status import nothing_runs
    from qianmen.status import status as read_status

    report = run(read_status(installation()))
    if json:
        print_json(report)
    elif nothing_runs(report):
        show("没有启动：uv run qianmen up（或 make run）")
    else:
        for row in report["processes"]:
            mark = "✔" if row["ready"] else "✘"
            show(f"{mark} {row['name']:<8}{row['state']:<10}{row['address']}  {row['label']}")
    raise typer.Exit(0 if report["up"] else 1)


@app.command()
def demo(json: Json = False) -> None:
    """演示：一通电话和一段对话，直到工单；没有启动就先启动，完了停掉。"""
    from qianmen.demo import demo_succeeded, demonstrate

    report = run(demonstrate(installation(), live=not json))
    if json:
        print_json(report)
    raise typer.Exit(0 if demo_succeeded(report) else 1)


@app.command()
def call(
    uri: Annotated[str, typer.Argument(metavar="SIP-URI")],
    sentence: Say = [],  # noqa: B006  # typer wants the plain default
    keys: Annotated[str, typer.Option(help="说完以后按的键。")] = "",
    wav: Annotated[Path | None, typer.Option(help="说完以后再放的一段录音。")] = None,
    save: Annotated[Path | None, typer.Option(help="把通话存成 WAV（左市民，右前门）。")] = None,
    json: Json = False,
) -> None:
    """像市民一样打一个电话（pyVoIP 话机，espeak-ng 说话）。"""
    from qianmen.citizen.call import place_call
    from qianmen.demo import say_call, show_turns

    settings = installation()
    says: list[str | Path] = [*sentence]
    if wav is not None:
        says.append(wav)
    report = place_call(
        uri, says, keys=keys, save=save,
        database=settings.database, data_key=settings.data_key,
        on_progress=None if json else say_call,
    )  # fmt: skip
    if json:
        print_json(report.as_json())
    else:
        show_turns(report.as_json()["turns"])


@app.command()
def chat(sentence: Say = [], json: Json = False) -> None:  # noqa: B006  # as above
    """像市民一样在网页上对话。"""
    from qianmen.citizen.chat import hold_chat
    from qianmen.demo import show_said

    address = installation().web_address
    report = run(hold_chat(address, sentence, on_progress=None if json else show_said))
    if json:
        print_json(report.as_json())


@app.command()
def ask(
    text: Annotated[str, typer.Argument()] = "",
    batch: Annotated[Path | None, typer.Option(help="TSV：text[, conversation, turn …]。")] = None,
    now: Annotated[str, typer.Option(help="当作现在的时间，ISO 8601。")] = "",
    json: Json = False,
) -> None:
    """问一句，看系统怎么理解、怎么回答；不需要先启动。"""
    from qianmen.ask import answer_batch, answer_one

    settings = installation()
    if batch is not None:
        print_json(run(answer_batch(settings, batch, now)))
        return
    if not text:
        raise typer.BadParameter("请给一句话，或者用 --batch")
    answer = run(answer_one(settings, text, now))
    if json:
        print_json(answer)
    else:
        show(f"{answer['act']} / {answer['decision']}  {answer['matter']} {answer['aspect']}")
        show(answer["say"])


@bench.command("voice")
def bench_voice(
    turns: Annotated[int, typer.Option(min=1, help="一共问多少句。")] = 60,
    calls: Annotated[int, typer.Option(min=1, max=100, help="同时几通电话。")] = 10,
    barge_ins: Annotated[int, typer.Option(min=0, help="另外打断多少次。")] = 25,
    json: Json = False,
) -> None:
    """从说完最后一个字到听到回答的第一个音；打断后多久安静下来。"""
    from qianmen.bench.voice import run_voice

    def work(settings: Settings) -> Coroutine[Any, Any, Any]:
        return run_voice(settings, turns, calls=calls, barge_ins=barge_ins)

    _bench(work, json)


@bench.command("chat")
def bench_chat(
    turns: Annotated[int, typer.Option(min=1)] = 60,
    citizens: Annotated[int, typer.Option(min=0, help="同时几位市民，每句想两秒；0 不测。")] = 50,
    rate: Annotated[float, typer.Option(min=0, help="每秒几句，不管来不来得及；0 不测。")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="这样多久。")] = 30,
    sockets: Annotated[int, typer.Option(min=0, help="开着不说话的页面；0 不测。")] = 10_000,
    wechat: Annotated[int, typer.Option(min=0, help="机器人卡住时几位微信用户；0 不测。")] = 20,
    json: Json = False,
) -> None:
    """网页对话第一条回复的时间，和 Rasa 自己的接口并排；很多人同时；开着不说话的页面；微信。"""
    from qianmen.bench.chat import ChatPlan, run_all

    plan = ChatPlan(turns=turns, citizens=citizens, rate=rate, seconds=seconds, sockets=sockets,
                    wechat=wechat)  # fmt: skip
    _bench(lambda settings: run_all(settings, plan), json)


@bench.command("endpoint")
def bench_endpoint(
    clips: Annotated[Path, typer.Option("--clips", help="录音文件夹，里面有 transcripts.tsv。")],
    seeds: Annotated[int, typer.Option(min=1, max=20, help="每段录音加几种噪声。")] = 3,
    json: Json = False,
) -> None:
    """话说到一半停顿一下，会不会被当成说完了；和 Vosk 自己的断句并排。"""
    from asr.models.shelf import chosen
    from asr.vosk_local import check_model, model_rate
    from qianmen.bench.clips import read_clips
    from qianmen.bench.endpoint import run_endpoint

    found = read_clips(clips)
    settings = installation()
    model = None if settings.asr_url else chosen(settings)
    if model is not None:
        check_model(model)
    rate = model_rate(model) if model is not None else 8000
    _show_figures(run_endpoint(found, seeds, model, rate).to_dict(), json)


@bench.command("media")
def bench_media(
    calls: Annotated[int, typer.Option(min=1, max=1000, help="同时几路通话。")] = 200,
    seconds: Annotated[float, typer.Option(min=2, help="量多少秒。")] = 20,
    dialogues: Annotated[int, typer.Option(min=0, help="再和前门同时打几个完整的电话。")] = 0,
    realtime: Annotated[bool, typer.Option(help="实时优先级：机器再忙也只量引擎。")] = False,
    json: Json = False,
) -> None:
    """很多路通话时语音包发得匀不匀、花多少处理器，和 pyVoIP、baresip 并排；每秒接几个电话。"""
    from qianmen.bench.media import MediaPlan, run_media

    plan = MediaPlan(calls, seconds, dialogues, realtime=realtime)
    if dialogues:
        _bench(lambda settings: run_media(settings, plan), json)
    else:
        _show_figures(run(run_media(installation(), plan)).to_dict(), json)


@bench.command("queue")
def bench_queue(
    calls: Annotated[int, typer.Option(min=100, help="一天多少通转人工。")] = 4000,
    share: Annotated[
        float, typer.Option(min=0.1, max=0.99, help="按多大比例 15 秒内接起排班。")
    ] = 0.8,
    handling: Annotated[float, typer.Option(min=10, help="一通平均多少秒，含话后整理。")] = 240,
    seeds: Annotated[int, typer.Option(min=2, max=200, help="模拟多少天。")] = 20,
    seconds: Annotated[float, typer.Option(min=0, help="压力测量多少秒，0 不量。")] = 60,
    database: Annotated[str, typer.Option(help="在这个空的数据库里量；默认临时的 SQLite。")] = "",
    json: Json = False,
) -> None:
    """排队：模拟的一天和 Erlang-C 的预测并排；200 个坐席、500 人等待时派得多快。"""
    from qianmen.bench.queue import run_queue
    from qianmen.bench.queueday import Plan
    from qianmen.bench.queueload import LoadPlan

    plan = Plan(calls=calls, handling_s=handling, share=share)
    load = LoadPlan(seconds=seconds) if seconds else None
    _show_figures(run_queue(plan, seeds, load, database).to_dict(), json)


@bench.command("desk")
def bench_desk(
    talks: Annotated[int, typer.Option(min=0, help="安静时接待几位市民。")] = 20,
    calls: Annotated[int, typer.Option(min=0, help="接几通电话：从点接听到双方听见。")] = 10,
    agents: Annotated[int, typer.Option(min=1, max=1000, help="压力测量开几个坐席台。")] = 200,
    waiting: Annotated[int, typer.Option(min=0, help="压力测量时多少人在等。")] = 500,
    seconds: Annotated[float, typer.Option(min=0, help="压力测量多少秒，0 不量。")] = 60,
    database: Annotated[str, typer.Option(help="压力用的空数据库；默认临时的 SQLite。")] = "",
    json: Json = False,
) -> None:
    """坐席台：转人工到派给坐席、市民的话到屏幕、接听到双方听见；很多坐席台时多快看到变化。"""
    from qianmen.bench.desk import DeskPlan, run_desk

    plan = DeskPlan(talks=talks, agents=agents, waiting=waiting, seconds=seconds)
    _show_figures(run(run_desk(plan, calls, database)).to_dict(), json)


@bench.callback()
def _quiet() -> None:
    # Benches run parts of the front door in this process: their logs are not for standard output.
    configure("bench", "warning")


def _bench(work: Callable[[Settings], Coroutine[Any, Any, Any]], json: bool) -> None:
    from qianmen.demo import with_front_door

    _show_figures(run(with_front_door(installation(), work)).to_dict(), json)


def _show_figures(figures: dict[str, Any], json: bool) -> None:
    if json:
        print_json(figures)
        return
    for part in ("figures", "peers"):
        for row in figures[part]:
            goal = f"（目标 {row['goal']}）" if row["goal"] else ""
            show(f"{row['name']:<28}{row['value']:>10} {row['unit']}{goal}")


def main() -> None:
    """Run the command; every expected failure is one line and exit code 1 (2 for wrong usage)."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        code, text = _told(error)
        if not isinstance(code, str):
            raise
        say(f"✘ {code}：{told(code, text)}")
        sys.exit(1)


def _told(error: Exception) -> tuple[Any, str]:
    """The error's code and sentence; a driver's error has one of ours, and tells no SQL."""
    if type(error).__module__.startswith("sqlalchemy"):
        from store.faults import fault_of

        return fault_of(error), str(getattr(error, "orig", error)).strip().partition("\n")[0]
    return getattr(error, "code", None), str(error)


if __name__ == "__main__":
    main()
