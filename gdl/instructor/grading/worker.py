"""The program on the student's side: runs a notebook's cells in IPython, and calls its functions on request.

The grader starts it as `python -P -m gdl.instructor.grading.worker`, in the sandbox. It runs whatever the student wrote, so
the grader does not trust it: its answers are values, and they are checked outside.
"""

import ctypes
import os
import signal
import sys
from typing import Any

from gdl.instructor.grading import channel


def main() -> None:
    """Answers requests until the grader closes the pipe."""
    if uid := int(os.environ.pop("GDL_WORKER_UID", "0")):
        become(uid)
    end_with_parent()  # after a change of user, which would undo it
    set_limits()
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    shell = start_shell()
    channel.send(replies, {"ready": True})
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # what the student prints is not needed, and never an answer
        os.dup2(nothing, standard)
    while True:
        try:
            request = channel.receive(requests)
        except channel.ChannelError:
            return
        reply = {"id": request["id"]}
        try:
            channel.send(replies, reply | {"value": answer(shell, request)})
        except BaseException as error:  # sys.exit() in a student's function too
            channel.send(replies, reply | {"error": [type(error).__name__, text_of(error)]})


def answer(shell: Any, request: dict[str, Any]) -> Any:
    """Runs a cell, or calls a function and returns its result. Raises what the student's code raises."""
    if request["do"] == "run":
        result = shell.run_cell(request["source"])
        problem = result.error_before_exec or result.error_in_exec
        if problem is not None:
            raise problem
        return None
    if request["name"] not in shell.user_ns:
        raise NameError(f"name '{request['name']}' is not defined")
    return shell.user_ns[request["name"]](*request["args"], **request["options"])


def text_of(error: BaseException) -> str:
    """An error's message, shortened."""
    if isinstance(error, SyntaxError):
        return f"{error.msg} (line {error.lineno})"
    try:
        return str(error)[:500]
    except Exception:
        return ""


def start_shell() -> Any:
    """IPython as a notebook has it, with its `%` and `!` lines, but without history."""
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    class Shell(InteractiveShell):
        def enable_gui(self, gui=None):  # `%matplotlib inline` calls it; no picture is shown here
            pass

        def ask_exit(self):  # exit() and quit() do nothing in a notebook that is graded
            pass

    HistoryManager.enabled = False  # type: ignore[assignment]
    shell = Shell.instance()
    shell.user_ns["__name__"] = "__main__"
    sys.path.insert(0, "")  # where `%%writefile` puts a module
    return shell


def become(uid: int) -> None:
    """Gives up root and its capabilities for good. The sandbox's filter of system calls keeps this process from user namespaces of its own."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE: or /proc/self would be root's


def end_with_parent() -> None:
    """Makes the kernel end this process when the one that has started it ends."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # it has ended in the meantime
        os._exit(1)


def set_limits() -> None:
    """Limits what one process may use, on systems that know such limits. The grader watches all processes together."""
    try:
        import resource
    except ImportError:  # Windows, with --unsafe
        return
    gigabyte = 2**30
    limits = {
        resource.RLIMIT_DATA: 4 * gigabyte,
        resource.RLIMIT_AS: 64 * gigabyte,  # TensorFlow reserves much and uses little; the kernel needs tables for what is reserved
        resource.RLIMIT_NPROC: 400,  # threads count too
        resource.RLIMIT_NOFILE: 256,  # each pipe and socket holds memory of the kernel
        resource.RLIMIT_FSIZE: gigabyte // 4,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":
        limits |= {resource.RLIMIT_MSGQUEUE: 0, resource.RLIMIT_SIGPENDING: 1000}
    for limit, value in limits.items():
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    main()
