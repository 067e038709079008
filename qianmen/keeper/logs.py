"""Each process's log: a file a day, compressed, kept as long as the city's rules say.

Supervisor must not rotate by size: that could drop lines younger than the law allows. Instead the
log is renamed; supervisor goes on writing into the renamed file until it is told to open its logs
again (SIGUSR2), so that no line is lost.
"""

from __future__ import annotations

from qianmen.keeper.duty import Duty

DUTIES: tuple[Duty, ...] = ()
