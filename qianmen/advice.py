"""What to do about an error, in Chinese, before the sentence that names the place. Pure."""

from __future__ import annotations

_ADVICE = {
    "backup_corrupt": "备份文件不完整或被改动过，请用另一份",
    "backup_missing": "没有这个备份文件，看看路径",
    "backup_newer": "备份来自更新版本的前门，请用那个版本恢复",
    "bad_input": "给的内容不对，请改了再试",
    "busy": "线路占线，等一会儿再试",
    "city_unreadable": "城市的配置读不出来，看看 QIANMEN_CITY 和文件权限",
    "config_broken": "配置文件写坏了，请按提示改正",
    "config_invalid": "城市的配置有误，请按提示改正",
    "config_missing": "找不到城市的配置，看看 QIANMEN_CITY",
    "data_key_invalid": "QIANMEN_DATA_KEY 写得不对，用 qianmen data new-key 可以生成",
    "data_key_missing": "数据加过密，请设置原来的 QIANMEN_DATA_KEY",
    "data_key_wrong": "QIANMEN_DATA_KEY 不是加密时的那一把，请换回原来的",
    "database_corrupt": "数据库坏了，请用备份恢复",
    "database_down": "连不上数据库，看它在不在运行、地址和密码对不对",
    "database_in_use": "有进程正在用这个数据库，先停掉前门",
    "database_locked": "别的进程占着数据库太久，等一会儿再试",
    "database_newer": "数据库是更新版本的前门用过的，请用那个版本",
    "database_old": "数据库的表不全，先运行 qianmen db upgrade",
    "database_readonly": "数据库或它所在的卷只能读，请改权限",
    "database_url": "DATABASE_URL 写得不对，请改正",
    "disk_full": "磁盘满了，先腾出空间",
    "lost": "没说完就断了，看看 qianmen status 和 qianmen doctor",
    "model_corrupt": "语音模型的文件坏了，运行 qianmen models verify 看看",
    "model_missing": "语音模型不全，运行 qianmen models list 看看",
    "no_answer": "没有人接，看看 qianmen status",
    "rasa_missing": "对话引擎没有装，先运行 make setup",
    "rasa_training": "对话模型没有训练成，看看日志",
    "rejected": "对方拒绝了，看看地址对不对、前门在不在运行（qianmen status）",
    "sealed_broken": "加密的内容损坏了，请用备份恢复",
    "secret_empty": "密钥文件是空的，请放回原来的",
    "secret_unreadable": "密钥文件读不出来，请改权限",
    "secrets_missing": "找不到放密钥的文件夹，看看 QIANMEN_SECRETS_DIR",
    "settings_invalid": "设置写得不对，请改环境变量或 .env",
    "silent": "接通了，但没有等到回答，运行 qianmen doctor 看看",
    "unreachable": "没有应答，前门大概没有启动：先运行 uv run qianmen up（或 make run）",
    "volume_readonly": "数据所在的卷只能读，请改权限",
}  # fmt: skip


def told(code: str, sentence: str) -> str:
    """``sentence``, after what to do about ``code`` where it is not in Chinese itself."""
    advice = _ADVICE.get(code)
    if advice is None or any("一" <= letter <= "鿿" for letter in sentence):
        return sentence
    return f"{advice}（{sentence}）" if sentence else advice
