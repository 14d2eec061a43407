"""Children of a survey that begin as copies of a process which has imported everything.

    python zygote.py serve SOCKET            forks a copy for each call
    python zygote.py call SOCKET -m MODULE   stands for `python -m MODULE`, and ends as it ended

What is measured then costs what an audit costs, without the seconds in which libraries are
imported, so that many surveys of many models can be made on a small machine.
"""

import array
import contextlib
import os
import pickle
import runpy
import signal
import socket
import sys
import tempfile
import threading

_PRELOADED = (
    *("onnxmem.cli.audit_command", "onnxmem.auditing.run", "onnxmem.factorize.compiled"),
    *("onnxmem.report.json", "onnxmem.cli.progress", "onnxmem.runtime.library"),
    *("onnxmem.network.identity", "onnxmem.surveying.child", "onnxruntime", "onnx_ir"),
)


def serve(path):
    for name in _PRELOADED:
        __import__(name)
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(64)
    while True:
        call, _ = server.accept()
        pid = _fork(call)
        threading.Thread(target=_tell_end, args=(call, pid), daemon=True).start()


def _fork(call):
    ancillary = socket.CMSG_SPACE(3 * array.array("i").itemsize)
    content, sent, *_ = call.recvmsg(1 << 20, ancillary)
    streams = array.array("i", sent[0][2])
    words, folder, environment = pickle.loads(content)
    pid = os.fork()
    if not pid:
        _become(words, folder, environment, streams)
    for stream in streams:
        os.close(stream)
    return pid


def _tell_end(call, pid):
    status = os.waitpid(pid, 0)[1]
    with contextlib.suppress(OSError):
        call.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    call.close()


def _become(words, folder, environment, streams):
    """Be the process that was asked for."""
    code = 1
    try:
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, 1024)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.__stdin__ = sys.stdin
        sys.argv = words
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def call(path, words):
    server = socket.socket(socket.AF_UNIX)
    server.connect(path)
    streams = array.array("i", [0, 1, 2])
    content = pickle.dumps((words, os.getcwd(), dict(os.environ)))
    server.sendmsg([content], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
    code = int(server.recv(64) or b"1")
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code not in (9, 19) else None
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        call(sys.argv[2], sys.argv[4:])
