"""Run a command of this project on a machine that has nothing but Python: ``python3 bootstrap.py inv --list``.

Makes ``.venv`` beside this file when it is not there, installs the project into it when ``pyproject.toml``
has changed, and becomes the command, with ``.venv/bin`` first on PATH. Says nothing unless it has to.
Needs the standard library alone; an old Python must be able to read this file and say that it is too old.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)
EXTRAS = "local,test,dev,checks,docs"
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin")
PYTHON = os.path.join(BIN, "python.exe" if os.name == "nt" else "python")
STAMP = os.path.join(VENV, ".bootstrap")
"""Its presence says that ``.venv`` is ours; its content, what was installed."""


def main(command):
    """Prepare, and become ``command``. Returns an exit code only when it cannot."""
    if sys.version_info < OLDEST:
        return _fail(_too_old(sys.version_info))
    with _alone():
        problem = _prepare()
    if problem:
        return _fail(problem)
    if not command:
        print("ready: python3 bootstrap.py inv --list")
        return 0
    return _become(command)


def _prepare():
    """Bring ``.venv`` up to date; returns what went wrong, or ``None``."""
    wanted = _wanted()
    known = _read(STAMP)
    if known == wanted and _works("pass"):
        return None
    print("bootstrap: preparing {} (this takes a minute, once)".format(VENV), file=sys.stderr)
    is_ours = known is not None or not os.path.exists(VENV)
    is_same = known is None or known.splitlines()[:1] == wanted.splitlines()[:1]
    if not (is_same and _works("import pip")):
        if not is_ours:
            return "{} is not mine and has no working pip\n  do:    move it away".format(VENV)
        problem = _create()
        if problem:
            return problem
    target = "{}[{}]".format(ROOT, EXTRAS)
    problem = _run([PYTHON, "-m", "pip", "install", "--quiet", "--editable", target])
    if problem is None:
        _write(STAMP, wanted)
    return problem


def _create():
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        return (
            "this Python cannot make virtual environments\n"
            "  do:    Debian, Ubuntu: apt install python{}.{}-venv; elsewhere: a Python with venv and ensurepip"
        ).format(*sys.version_info[:2])
    shutil.rmtree(VENV, ignore_errors=True)
    os.makedirs(VENV, exist_ok=True)
    _write(STAMP, "unfinished\n")
    return _run([sys.executable, "-m", "venv", VENV])


def _wanted():
    """What the stamp says when all is well: first where and with which Python, then from what."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "bootstrap.py"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return "{} {}\n{}\n".format(VENV, sys.version.split()[0], digest.hexdigest())


def _works(statement):
    done = None
    with contextlib.suppress(OSError):
        done = subprocess.run([PYTHON, "-c", statement], env=_environment(), capture_output=True, check=False)
    return done is not None and done.returncode == 0


def _run(command):
    """Run quietly; returns ``None``, or what to say: the command, its output, its code."""
    done = subprocess.run(
        command, env=_environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode == 0:
        return None
    output = done.stdout.decode("utf-8", "replace")
    return "{}\n{} left with {}".format(output, " ".join(command), done.returncode)


def _environment():
    """Ours, as inside ``.venv``. PIP_* stays as it is, but for what would install elsewhere."""
    inside = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "__PYVENV_LAUNCHER__")}
    inside["VIRTUAL_ENV"] = VENV
    inside["PATH"] = BIN + os.pathsep + os.environ.get("PATH", os.defpath)
    inside["PIP_USER"] = "0"
    inside.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    inside.setdefault("PIP_NO_INPUT", "1")
    return inside


def _become(command):
    inside = _environment()
    found = shutil.which(command[0], path=inside["PATH"])
    if found is None:
        return _fail("there is no command {}\n  do:    python3 bootstrap.py inv --list".format(command[0]), 127)
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.run([found, *command[1:]], env=inside, check=False).returncode
    os.execve(found, [command[0], *command[1:]], inside)
    return 0


@contextlib.contextmanager
def _alone():
    """One at a time: this very file is the lock, so that none is left behind."""
    with open(os.path.abspath(__file__), "rb") as file:
        with contextlib.suppress(ImportError):  # where there is no flock, whoever starts two at once waits in pip
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


def _write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _too_old(version):
    newer = next((name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)), None)
    todo = "{} bootstrap.py ...".format(newer) if newer else "install Python 3.11 or newer"
    return "Python {}.{} or newer is needed, and this is {}.{}\n  do:    {}".format(*OLDEST, *version[:2], todo)


def _fail(message, code=2):
    print("bootstrap: " + message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
