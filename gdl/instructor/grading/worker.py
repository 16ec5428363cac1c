"""The student's side of the grader: runs a notebook's cells in IPython, and calls its functions when asked.

The grader starts it as `python -P -m gdl.instructor.grading.worker`, in the sandbox. It runs whatever the student wrote, so
nothing that it says is believed: its answers are values, and the grader looks at them outside.
"""

import ctypes
import os
import sys

from gdl.instructor.grading import channel


def main():
    if uid := int(os.environ.pop("GDL_WORKER_UID", "0")):
        become(uid)
    set_limits()
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    shell = start_shell()
    channel.send(replies, {"ready": True})
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # what the student prints is not wanted, and never an answer
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


def answer(shell, request):
    """Carries out one request: runs a cell, or calls a function and returns what it gives."""
    if request["do"] == "run":
        result = shell.run_cell(request["source"])
        problem = result.error_before_exec or result.error_in_exec
        if problem is not None:
            raise problem
        return None
    if request["name"] not in shell.user_ns:
        raise NameError(f"name '{request['name']}' is not defined")
    return shell.user_ns[request["name"]](*request["args"], **request["options"])


def text_of(error):
    if isinstance(error, SyntaxError):
        return f"{error.msg} (line {error.lineno})"
    try:
        return str(error)[:500]
    except Exception:
        return ""


def start_shell():
    """IPython as a notebook has it, with its `%` and `!` lines, but without history."""
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    class Shell(InteractiveShell):
        def enable_gui(self, gui=None):  # `%matplotlib inline` asks for it; pictures are drawn into the void here
            pass

        def ask_exit(self):  # exit() and quit() do nothing in a notebook that is graded
            pass

    HistoryManager.enabled = False
    shell = Shell.instance()
    shell.user_ns["__name__"] = "__main__"
    sys.path.insert(0, "")  # where `%%writefile` puts a module
    return shell


def become(uid):
    """Gives up root for good, and starts this program anew as another user.

    Who is not root may make a namespace in which to be root, where the system allows it. So this goes into one that
    allows no further ones; what has no rights there after the new start cannot change that.
    """
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    system = ctypes.CDLL(None)
    system.prctl(4, 1)  # PR_SET_DUMPABLE: or the files below would be root's
    if system.unshare(0x10000000) == 0:  # CLONE_NEWUSER
        for file, text in (("self/setgroups", "deny"), ("self/uid_map", f"{uid} {uid} 1"), ("self/gid_map", f"{uid} {uid} 1")):
            write(file, text)
        write("sys/user/max_user_namespaces", "0")
    os.execv(sys.executable, [sys.executable, "-P", "-m", "gdl.instructor.grading.worker"])


def write(file, text):
    with open(f"/proc/{file}", "w") as told:
        told.write(text)


def set_limits():
    """What one process may have, on systems that know such limits; the grader watches all of them together."""
    try:
        import resource
    except ImportError:  # Windows, with --unsafe
        return
    gigabyte = 2**30
    for limit, most in (
        (resource.RLIMIT_DATA, 6 * gigabyte),  # RLIMIT_AS would stop TensorFlow, which reserves much and uses little
        (resource.RLIMIT_NPROC, 400),  # threads count too
        (resource.RLIMIT_NOFILE, 512),
        (resource.RLIMIT_FSIZE, gigabyte // 4),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (most, most))


if __name__ == "__main__":
    main()
