"""pyproject.toml, constraints.txt → .venv: install Penstock and its tools for the developer at hand.

Called by make as `python3 tools/bootstrap.py STAMP`; writes STAMP, which lies in .venv, when all is in place.
It runs on whatever `python3` is, so it keeps to the standard library and to words that Python 3.6 knows.
"""

import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")

#: The oldest Python that works; the same as requires-python in pyproject.toml.
OLDEST = (3, 11)
OTHER_PYTHONS = ["python3.13", "python3.12", "python3.11", "python3.14"]

WHAT = ["-q", "-c", "constraints.txt", "-e", ".[dev]"]


def main(stamp):
    """Make or renew .venv, and write the stamp file that tells make so."""
    os.chdir(ROOT)
    # A user-wide --user or --target would send the packages past .venv.
    os.environ.update(PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1")
    os.environ.pop("PIP_TARGET", None)
    python = suitable_python()
    uv = working("uv")
    say("installing into .venv (once; later calls are instant) ...")
    if not is_sound(stamp):
        make_venv(python, uv)
    if not install(uv):
        stop("the install into .venv failed; what to mend stands above. Then run the same command again.")
    with open(stamp, "w") as file:
        file.write("all of pyproject.toml and constraints.txt is installed\n")


def suitable_python():
    """Return the path of a Python that is new enough: this one if it is, else another one on PATH."""
    for candidate in [sys.executable, *OTHER_PYTHONS]:
        if working(candidate, OLDEST):
            return candidate
    return stop("needs Python {}.{} or later; python3 is {}.{}.".format(*(OLDEST + sys.version_info[:2])))


def working(command, oldest=None):
    """Return the command if it is there and runs (as a Python of that age, if one is given), else None."""
    path = shutil.which(command)
    if path is None:
        return None
    ask = ["-c", f"import sys; sys.exit(sys.version_info < {oldest})"] if oldest else ["--version"]
    return path if succeeds([path, *ask]) else None


def is_sound(stamp):
    """Return whether .venv is there, whole, and made in this folder (its scripts hold the folder's path)."""
    if not (working(VENV_PYTHON, OLDEST) and succeeds([VENV_PYTHON, "-m", "pip", "--version"])):
        return False
    stamps = [name for name in os.listdir(VENV) if name.startswith("installed-")]
    return not stamps or os.path.basename(stamp) in stamps


def make_venv(python, uv):
    """Make .venv with pip in it: by ensurepip, else by the pip of that Python, else by uv."""
    shutil.rmtree(VENV, ignore_errors=True)
    if succeeds([python, "-c", "import ensurepip, venv"]) and succeeds([python, "-m", "venv", VENV]):
        return
    # Debian without python3-venv: the module is there, what it would put pip in with is not.
    bare = succeeds([python, "-m", "venv", "--clear", "--without-pip", VENV])
    if bare and succeeds([python, "-m", "pip", "--python", VENV_PYTHON, "install", "-q", "pip"]):
        return
    if uv and run([uv, "venv", "-q", "--clear", "--seed", "--python", python, VENV]):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    stop("cannot put pip into .venv: install python3-venv, or pip 22.3 or later, or uv; then run this again.")


def install(uv):
    """Install the project with its dev extra; by uv where it works, as it takes a third of the time.

    Compiled, as pip does it: else the first crawl would compile everything in eight processes at once.
    """
    if uv and run([uv, "pip", "install", "--compile-bytecode", "--python", VENV_PYTHON, *WHAT]):
        return True
    if uv:
        say("uv could not do it; trying pip ...")
    return run([VENV_PYTHON, "-m", "pip", "install", *WHAT])


def succeeds(command):
    """Run a command without showing what it says; return whether it went well."""
    return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def run(command):
    """Run a command in plain sight; return whether it went well."""
    return subprocess.call(command) == 0


def say(line):
    """Tell the developer one line."""
    sys.stderr.write("penstock: " + line + "\n")
    sys.stderr.flush()


def stop(line):
    """End with one clear line."""
    say(line)
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
