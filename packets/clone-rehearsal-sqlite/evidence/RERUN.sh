#!/bin/sh
# Makes this packet again in a temporary folder, from the inputs that inputs.txt names, and compares
# the tree hash. Prints PACKET_TREE MATCH (exit 0) or PACKET_TREE DIFFERS (exit 1); exit 2: not run.
# An input that is listed here but held by another packet is taken from there, by its digest.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
LC_ALL=C
PYTHON=${PYTHON:-python3}
export LC_ALL PYTHON
work=$("$PYTHON" -I -c '
import tempfile
print(tempfile.mkdtemp(prefix="lanebook-rerun."))') || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

digest() {
    "$PYTHON" -I -c '
import hashlib, sys
print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$1"
}

mkdir "$work/evidence" || exit 2
while read -r name; do
    listed=$(sed -n "s/^\([0-9a-f]\{64\}\)  $name\$/\1/p" "$here/HASH_MANIFEST.txt")
    found=
    for file in "$here/$name" "$here"/../../*/evidence/"$name"; do
        if [ -z "$found" ] && [ -f "$file" ] && [ "$(digest "$file")" = "$listed" ]; then
            found=$file
        fi
    done
    if [ -z "$found" ]; then
        echo "not run: no file with the listed digest of $name" >&2
        exit 2
    fi
    cp "$found" "$work/evidence/$name" || exit 2
done <"$here/inputs.txt"

sh "$work/evidence/commands.sh"
code=$?
[ "$code" -ne 2 ] || exit 2
[ "$code" -eq 0 ] || echo "commands.sh exits with $code" >&2
(cd "$work/evidence" && "$PYTHON" -I -B rehearse.py manifest) >"$work/manifest" || exit 2
if [ "$(digest "$work/manifest")" = "$(cat "$here/packet_tree.sha256")" ]; then
    echo 'PACKET_TREE MATCH'
else
    echo 'PACKET_TREE DIFFERS'
    diff "$here/HASH_MANIFEST.txt" "$work/manifest" >&2
    exit 1
fi
