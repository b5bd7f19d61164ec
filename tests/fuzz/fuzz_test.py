# SPDX-License-Identifier: Apache-2.0
"""fuzz_test.py: every fuzz target on its committed seeds, then a few seconds of new inputs.

KTM_FUZZ_SECONDS says how many for each target (4). The dice are fixed: what fails here fails again.
The targets are built by tools/fuzz in build-fuzz/, with clang.
"""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "harness"))
import tap  # noqa: E402

SECONDS = int(os.environ.get("KTM_FUZZ_SECONDS", "4"))
SEED = 20261121


def fuzz(target):
    if not shutil.which("clang++"):
        raise tap.Skip("NOT FUZZED: clang++ is not installed")
    # A run starts from the seeds alone, not from what an earlier one found: the same every time.
    shutil.rmtree(ROOT / "build-fuzz" / "work" / target, ignore_errors=True)
    done = subprocess.run(
        [ROOT / "tools" / "fuzz", target, "--time", f"{SECONDS}s", "--seed", str(SEED)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_build():
    """The fuzz targets build with clang and both sanitizers."""
    if not shutil.which("clang++"):
        raise tap.Skip("NOT FUZZED: clang++ is not installed")
    done = subprocess.run([ROOT / "tools" / "fuzz", "--build"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_session():
    """A QMP session answers each command once, and its end is the end, however bytes arrive."""
    fuzz("session")


def test_json():
    """The fast JSON parser accepts what the slow grammar accepts; the writer is stable."""
    fuzz("json")


def test_trace_reader():
    """A damaged trace yields the same records and the same fault, however its bytes arrive."""
    fuzz("trace_reader")


def test_address():
    """An accepted address, prefix or endpoint is the same after it was written and read again."""
    fuzz("address")


def test_units():
    """A duration or an amount is read exactly, and whatever it is, it can be shown."""
    fuzz("units")


def test_text():
    """Foreign bytes become harmless text and valid JSON strings."""
    fuzz("text")


def test_pattern():
    """A pattern finds, captures and replaces what LuaJIT's own matcher does, within its budget."""
    fuzz("pattern")


tap.run(globals())
