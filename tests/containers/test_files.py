"""The files of the containers, read: schema, variables, hardening, what is copied and run."""

from __future__ import annotations

import fnmatch
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from config.secretfiles import SECRETS
from config.settings import ROOT
from sealing.keys import keyring
from tests.containers.compose import (
    FILE,
    Service,
    copied,
    dockerfile_steps,
    document,
    services,
    variables,
)

DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
ALL = services()


def test_it_is_a_compose_file() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_variable_is_explained_with_its_default() -> None:
    lines = (ROOT / "docker" / "example.env").read_text("utf-8").splitlines()
    told = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    optional = {line[1:].split("=")[0] for line in lines if re.match(r"#[A-Z_]+=", line)}
    found = variables()
    assert set(told) | optional == set(found) | {"COMPOSE_PROFILES"}
    assert {name for name, default in found.items() if default is None} == optional
    for name, default in found.items():
        if default is not None:
            assert told[name] == default, name


def test_profiles_start_what_they_should() -> None:
    def started(profile: str) -> set[str]:
        return {n for n, s in ALL.items() if profile in s.spec.get("profiles", [profile])}

    assert started("scale") - started("small") == {"kamailio", "phone-1", "phone-2"}
    assert started("small") - started("scale") == {"phone"}
    assert started("watch") - started("") == {"prometheus", "grafana"}


@pytest.mark.parametrize("service", ALL.values(), ids=lambda service: service.name)
def test_nothing_may_more_than_it_needs(service: Service) -> None:
    spec = service.spec
    assert spec["read_only"] is True
    assert spec["cap_drop"] == ["ALL"]
    assert "cap_add" not in spec
    assert "privileged" not in spec
    assert spec["security_opt"] == ["no-new-privileges:true"]
    assert spec["logging"]["options"]["max-size"]
    assert "mem_limit" in spec
    assert spec["init"] is True
    stock = service.name in ("prometheus", "grafana")  # these images name their own user
    assert stock or spec["user"] not in ("root", "0", "0:0")
    assert service.name == "migrate" or "healthcheck" in spec
    assert spec["restart"] == ("no" if service.name == "migrate" else "unless-stopped")


@pytest.mark.parametrize("service", ALL.values(), ids=lambda service: service.name)
def test_images_are_pinned_and_mounts_exist(service: Service) -> None:
    image = service.spec["image"]
    assert ":" in image
    assert not image.endswith(":latest") or service.name == "kaldi-cn"  # it has no other tag
    for volume in service.spec.get("volumes", []):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            assert mode == ["ro"], volume
            assert (ROOT / source).is_dir(), volume
        else:
            assert source in document()["volumes"]
        assert target.startswith("/")


def test_no_secret_stands_in_the_file() -> None:
    text = FILE.read_text("utf-8")
    for service in ALL.values():
        for name in service.environment:
            lowered = name.lower().removeprefix("qianmen_")
            assert lowered not in SECRETS, name
    assert not re.search(r"://[^/\s$]*:[^/\s$]*@", text)
    wanted = {secret for service in ALL.values() for secret in service.secrets}
    assert wanted == set(document()["secrets"])


def test_the_secrets_are_made_once_and_usable(tmp_path: Path) -> None:
    script = ROOT / "docker" / "make-secrets.sh"
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing")
    folder = tmp_path / "secrets"
    subprocess.run([script, folder], check=True, capture_output=True)
    first = {path.name: path.read_text() for path in folder.iterdir()}
    subprocess.run([script, folder], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    assert set(first) == set(document()["secrets"])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert keyring(first["qianmen_data_key"])
    password = first["postgres_password"].strip()
    assert f":{password}@postgres:5432/qianmen" in first["qianmen_database_url"]
    assert first["valkey_conf"].split()[1] in first["qianmen_redis_url"]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_a_dockerfile_copies_what_is_there_and_ends_as_nobody(path: Path) -> None:
    steps = dockerfile_steps(path.read_text("utf-8"))
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines()
               if line.startswith("!")]  # fmt: skip
    for word, rest in steps:
        if word == "COPY":
            stage, sources = copied(rest)
            for source in sources if not stage else ():
                assert any(name == source or name.startswith(f"{source}/") for name in tracked)
                assert any(source == one or source.startswith(f"{one}/") for one in allowed)
    users = [rest for word, rest in steps if word == "USER"]
    assert users[-1] in ("10001:10001", "10002:10002")
    last_stage = max(number for number, (word, _) in enumerate(steps) if word == "FROM")
    assert ("USER", users[-1]) in steps[last_stage:]
    assert any("LICENSE" in rest or "/opt/qianmen" in rest for word, rest in steps[last_stage:]
               if word == "COPY")  # fmt: skip
    assert "http" not in path.read_text("utf-8")  # no registry is named


def test_the_image_has_every_room_and_compiles_it() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]
    rooms = set(packages["build"]["targets"]["wheel"]["packages"])
    steps = dockerfile_steps((ROOT / "docker" / "qianmen.Dockerfile").read_text("utf-8"))
    sources = {source for word, rest in steps if word == "COPY" for source in copied(rest)[1]}
    assert rooms <= sources
    compiled = next(rest for word, rest in steps if "compileall" in rest)
    assert rooms <= set(compiled.partition("compileall")[2].split())


def test_the_dialogues_image_has_what_rasa_imports_and_the_key() -> None:
    steps = dockerfile_steps((ROOT / "docker" / "rasa.Dockerfile").read_text("utf-8"))
    sources = {source for word, rest in steps if word == "COPY" for source in copied(rest)[1]}
    ours = {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()} - {"bot"}
    texts = [path.read_text("utf-8") for path in (ROOT / "bot" / "rasa").rglob("*.py")]
    imported = {
        name
        for text in texts
        for name in re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE)
    }
    assert imported & ours
    assert imported & ours <= sources
    # Rasa seals what it remembers of a citizen: it needs the key as much as the database does.
    assert "qianmen_data_key" in document()["services"]["rasa"]["secrets"]


def test_the_shell_of_the_images_is_shell() -> None:
    scripts = [(ROOT / "docker" / "make-secrets.sh").read_text("utf-8")]
    for path in DOCKERFILES:
        steps = dockerfile_steps(path.read_text("utf-8"))
        scripts += [rest for word, rest in steps if word == "RUN"]
    for script in scripts:
        done = subprocess.run(
            ["sh", "-n"], input=script, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, (script, done.stderr)


def test_the_commands_are_those_of_the_images() -> None:
    for name, stem in (("rasa", "rasa"), ("web", "qianmen")):
        steps = dockerfile_steps((ROOT / "docker" / f"{stem}.Dockerfile").read_text("utf-8"))
        (default,) = [rest for word, rest in steps if word == "CMD"]
        assert yaml.safe_load(default) == ALL[name].command


def test_nothing_of_this_machine_gets_into_an_image() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in lines  # all is left out but what is named
    for name in (".env", "secrets", "var", ".git", ".venv", "tests"):
        assert not any(fnmatch.fnmatch(name, line[1:]) for line in lines if line.startswith("!"))
