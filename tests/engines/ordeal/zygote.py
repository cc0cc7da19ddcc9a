"""A process that has everything imported and no thread running; each trial is a fork of it, and dies for good.

It reads one line of JSON for each request and answers with one: `run` a trial, `resume` one that has stopped itself.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from engines.faults import Faults, die, fail, freeze
from engines.ordeal.subjects import SUBJECTS
from engines.ordeal.work import erase

BLOWS = {"fails": fail, "is killed": die, "hangs": freeze}


def _trial(ask: dict[str, Any]) -> None:
    os.fsync = lambda _: None  # the process dies, not the machine: what is written is written
    faults = Faults(ask["number"], ask["when"], BLOWS[ask["blow"]])
    word = erase(SUBJECTS[ask["subject"]], Path(ask["home"]), faults)
    Path(ask["answer"]).write_text(word)


def _fork(ask: dict[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _trial(ask)
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def _await(child: int) -> dict[str, int]:
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return {"stopped": child}
    if os.WIFSIGNALED(status):
        return {"signal": os.WTERMSIG(status)}
    return {"exit": os.WEXITSTATUS(status)}


def main() -> None:
    stopped = 0
    for line in sys.stdin:
        ask = json.loads(line)
        if ask["do"] == "resume":
            os.kill(stopped, signal.SIGCONT)
            answer = _await(stopped)
        else:
            answer = _await(_fork(ask))
        stopped = answer.get("stopped", 0)
        print(json.dumps(answer), flush=True)
    if stopped:
        os.kill(stopped, signal.SIGKILL)


if __name__ == "__main__":
    main()
