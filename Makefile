.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python
export UV_PYTHON_DOWNLOADS := never

.PHONY: help
help: ## 列出所有命令
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## 装好运行所需的一切（run 和 demo 会自动先做）
	@scripts/setup.sh run

.PHONY: setup-test
setup-test:
	@scripts/setup.sh test

.PHONY: run
run: setup ## 启动全部，第一次先演示一通电话和一段对话，然后一直运行到 Ctrl-C
	@exec .venv/bin/qianmen up --show

.PHONY: demo
demo: setup ## 启动全部，演示一通电话和一段对话，然后退出（退出码 0 表示成功）
	@exec .venv/bin/qianmen demo

.PHONY: test
test: setup-test ## 全部检查和测试（20 分钟以内）
	@$(MAKE) --no-print-directory -j3 check prepared packages
	@scripts/tests.sh; code=$$?; scripts/system-packages.sh --report; exit $$code

.PHONY: prepared
prepared: setup-test
	@env -u PYTHONDONTWRITEBYTECODE $(PYTHON) -m tests.prepare

.PHONY: packages
packages:
	@scripts/system-packages.sh

.PHONY: test-fast
test-fast: setup-test ## 只跑快的测试
	@$(PYTHON) -m pytest tests -m "not slow"

.PHONY: check
check: setup-test ## ruff、mypy strict、import-linter
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

.PHONY: bench
bench: setup ## 测量：语音应答和网页首答的时间
	@.venv/bin/qianmen bench voice
	@.venv/bin/qianmen bench chat

.PHONY: docs
docs: setup-test ## 重新生成 docs/settings.md
	@$(PYTHON) -m scripts.settings_doc

.PHONY: hooks
hooks: setup-test ## 装上提交前和推送前的检查（pre-commit，只在本地）
	@.venv/bin/pre-commit install --hook-type pre-commit --hook-type pre-push

.PHONY: offline
offline: ## 做一个离线安装包（放进 dist/）；选项：make offline OFFLINE="--with-tests --model 文件.zip"
	@scripts/offline.sh $(OFFLINE)

.PHONY: lock
lock: ## 更新所有锁定的依赖清单
	@scripts/lock.sh

.PHONY: clean
clean: ## 删除装好的环境、缓存和运行数据
	rm -rf .venv .venv-rasa .tools node_modules var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache web/static/vendor
