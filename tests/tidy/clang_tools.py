# SPDX-License-Identifier: Apache-2.0
"""clang_tools.py: finds clang's tools, in the one version whose verdict the project goes by."""
import shutil
import subprocess

import tap

# Another version breaks lines elsewhere and knows other checks: its verdict would be noise.
VERSION = "14"


def find_tool(name):
    """The path of `name` in our version; a test that asks for it is skipped where it is missing."""
    for candidate in (f"{name}-{VERSION}", name):
        path = shutil.which(candidate)
        if path is not None and f" version {VERSION}." in _version_of(path):
            return path
    raise tap.Skip(f"{name} {VERSION} is missing: install the package {name}-{VERSION}")


def _version_of(path):
    answer = subprocess.run([path, "--version"], stdout=subprocess.PIPE, check=False, text=True)
    return answer.stdout
