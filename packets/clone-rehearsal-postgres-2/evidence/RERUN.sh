#!/bin/sh
# Makes this packet again in a temporary folder, from the inputs that inputs.txt names, and compares
# the tree hash. Prints PACKET_TREE MATCH (exit 0) or PACKET_TREE DIFFERS (exit 1); exit 2: not run.
# It needs the inputs and the two seal files, and writes nothing beside them. Where LANEBOOK_OUT
# names a folder, what was made is copied into it.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
LC_ALL=C
found=$("${PYTHON:-python3}" -I -S -c '
import sys
sys.version_info >= (3, 11) or sys.exit("not run: needs Python 3.11 or newer")
import tempfile
print(sys.executable, tempfile.mkdtemp(prefix="lanebook-rerun."), sep="\n")
') || exit 2
{ IFS= read -r PYTHON && IFS= read -r work; } <<END || exit 2
$found
END
export LC_ALL PYTHON
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

mkdir "$work/evidence" || exit 2
"$PYTHON" -I -S -B - "$here" "$work/evidence" <<'END' || exit 2
import hashlib
import os
import sys

here, there = sys.argv[1:]


def content(name):
    with open(os.path.join(here, name), "rb") as file:
        return file.read()


listed = dict(line.split("  ", 1)[::-1] for line in content("HASH_MANIFEST.txt").decode().splitlines())
for name in content("inputs.txt").decode().splitlines():
    if os.path.basename(name) != name or name not in listed:
        sys.exit("not run: no input of this packet: " + ascii(name))
    try:
        data = content(name)
    except OSError as error:
        sys.exit("not run: " + name + ": " + str(error.strerror))
    if hashlib.sha256(data).hexdigest() != listed[name]:
        sys.exit("not run: " + name + " has another digest than the manifest lists")
    with open(os.path.join(there, name), "wb") as file:
        file.write(data)
END

sh "$work/evidence/commands.sh"
code=$?
[ "$code" -ne 2 ] || exit 2
[ "$code" -eq 0 ] || echo "commands.sh exits with $code" >&2
(cd "$work/evidence" && "$PYTHON" -I -S -B rehearse.py manifest) >"$work/manifest" || exit 2
if [ -n "${LANEBOOK_OUT:-}" ]; then
    cp -R "$work/evidence/." "$LANEBOOK_OUT/" || exit 2
fi
"$PYTHON" -I -S -B - "$here" "$work/manifest" <<'END'
import hashlib
import os
import sys

here, made = sys.argv[1:]
with open(made, "rb") as file:
    again = file.read()
with open(os.path.join(here, "packet_tree.sha256"), "rb") as file:
    stated = file.read()
if hashlib.sha256(again).hexdigest().encode() == stated.strip():
    print("PACKET_TREE MATCH")
    sys.exit(0)
print("PACKET_TREE DIFFERS")
with open(os.path.join(here, "HASH_MANIFEST.txt"), "rb") as file:
    lines = set(file.read().splitlines())
for word, some in (("listed", lines - set(again.splitlines())), ("made", set(again.splitlines()) - lines)):
    for line in sorted(some, key=lambda line: line[66:]):
        print(word, ascii(line.decode(errors="replace"))[1:-1], file=sys.stderr)
sys.exit(1)
END
