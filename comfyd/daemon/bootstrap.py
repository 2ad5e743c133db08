"""The first lines of a worker, run with ``python -c`` by an interpreter that need not have comfyd installed.

``BOOTSTRAP package module daemon_pid``: dies with its daemon, loads ``package`` (the directory of comfyd) under the name
comfyd without putting its parent on sys.path, where this interpreter's packages would mix with the daemon's, and runs
``module.main()``; a module that ends in .py is a file.
"""

BOOTSTRAP = """\
import ctypes, importlib, importlib.util, os, signal, sys

def load(name, file, **more):
    spec = importlib.util.spec_from_file_location(name, file, **more)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

package, module, daemon = sys.argv[1:4]
del sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(daemon):
    sys.exit("the daemon ended before its worker began")
load("comfyd", os.path.join(package, "__init__.py"), submodule_search_locations=[package])
entry = load("comfyd_worker_under_test", module) if module.endswith(".py") else importlib.import_module(module)
sys.exit(entry.main())
"""
