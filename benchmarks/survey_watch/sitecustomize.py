"""Imported by every Python that has this folder on its path: tells which layers are measured.

Each process adds lines to $ONNXMEM_WATCH: `begun MODEL LAYER` before a layer is measured, and
`kept MODEL LAYER` once it lies in the cache. With $ONNXMEM_NO_LOCKS no file can be locked, as on
some network file systems. With $ONNXMEM_NO_PAGES pages are empty, which saves the libraries that
draw; with $ONNXMEM_ZYGOTE, a socket, `zygote` forks the children; with
$ONNXMEM_NO_AUDITS they do nothing for so many seconds.
"""

import importlib.abc
import importlib.machinery
import os
import sys


class _Changes(importlib.abc.MetaPathFinder):
    """Changes a module right after it is loaded."""

    def __init__(self, name, change):
        self.name, self.change = name, change

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            self.change(module)

        spec.loader.exec_module = exec_module
        return spec


def _watch(module):
    really_measure, really_put = module.measure_layer, module.LayerCache._put

    def measure(site, *rest):
        _tell("begun", site)
        return really_measure(site, *rest)

    def put(self, site, *rest):
        really_put(self, site, *rest)
        _tell("kept", site)

    module.measure_layer, module.LayerCache._put = measure, put


def _empty_pages(module):
    really = module.render
    page = '<!doctype html><meta name="generator" content="onnxmem empty">'
    module.render = lambda report, name: page if name == "html" else really(report, name)


def _forked_children(module):
    """Let children be forked by `zygote`; what is killed takes its copy along, by its stdin."""
    zygote = os.path.join(os.path.dirname(__file__), "zygote.py")
    path = os.environ["ONNXMEM_ZYGOTE"]
    module.CHILD = ("-I", "-S", zygote, "call", path, *module.CHILD[1:])


def _no_audits(module):
    seconds = float(os.environ["ONNXMEM_NO_AUDITS"])
    module.CHILD = ("-I", "-S", "-c", f"import time; time.sleep({seconds}); raise SystemExit(2)")


def _tell(word, site):
    line = f"{word} {os.path.basename(sys.argv[-1])} {site.tensor}\n"
    log = os.open(os.environ["ONNXMEM_WATCH"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(log, line.encode())
    os.close(log)


def _take_locks_away():
    import errno
    import fcntl

    def refuse(*given):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    fcntl.flock = fcntl.lockf = refuse


if "ONNXMEM_WATCH" in os.environ:
    sys.meta_path.insert(0, _Changes("onnxmem.auditing.layer_cache", _watch))
if "ONNXMEM_NO_PAGES" in os.environ:
    sys.meta_path.insert(0, _Changes("onnxmem.report.formats", _empty_pages))
if "ONNXMEM_ZYGOTE" in os.environ:
    sys.meta_path.insert(0, _Changes("onnxmem.surveying.running", _forked_children))
if "ONNXMEM_NO_AUDITS" in os.environ:
    sys.meta_path.insert(0, _Changes("onnxmem.surveying.running", _no_audits))
if "ONNXMEM_NO_LOCKS" in os.environ:
    _take_locks_away()
