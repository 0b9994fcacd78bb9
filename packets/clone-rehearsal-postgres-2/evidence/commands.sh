#!/bin/sh
# The whole rehearsal, in order. Writes every file of the packet that inputs.txt does not name.
# Exit 0: done, and the rollback is proven. 1: done, and it is not. 2: not done.
set -u
cd "$(dirname "$0")" || exit 2
if [ -e HASH_MANIFEST.txt ]; then
    echo 'this packet is sealed: RERUN.sh makes it again elsewhere' >&2
    exit 2
fi
LC_ALL=C
found=$("${PYTHON:-python3}" -I -S -c '
import sys
sys.version_info >= (3, 11) or sys.exit("not run: needs Python 3.11 or newer")
import os, tempfile
print(sys.executable, tempfile.mkdtemp(prefix="lanebook-rehearsal."), os.urandom(16).hex(), sep="\n")
') || exit 2
{ IFS= read -r PYTHON && IFS= read -r REHEARSAL_CLONE && IFS= read -r REHEARSAL_TOKEN; } <<END || exit 2
$found
END
export LC_ALL PYTHON REHEARSAL_CLONE REHEARSAL_TOKEN

# Only the folder that this run made is removed: it is empty, or holds the token of this run.
remove() {
    [ -d "$REHEARSAL_CLONE" ] || return 0
    token=
    if [ -f "$REHEARSAL_CLONE/lanebook-clone" ]; then
        read -r token <"$REHEARSAL_CLONE/lanebook-clone"
    fi
    if [ "$token" = "$REHEARSAL_TOKEN" ]; then
        rm -rf "$REHEARSAL_CLONE"
    elif ! rmdir "$REHEARSAL_CLONE" 2>/dev/null; then
        echo 'foreign clone: the folder is not the one that this run made' >&2
        return 1
    fi
}
trap 'remove' EXIT
trap 'exit 2' HUP INT TERM

action() {
    printf '{"step": "%s", "surface": "%s", "action": "%s", "target": "%s"}\n' "$@" >>actions.jsonl
}
step() {
    sh step.sh "$@"
    wrapper=$?
    printf '%s\t%s\n' "$1" "$wrapper" >>outputs/wrapper-exit-codes.tsv
    [ "$wrapper" -eq 0 ] || failed=1
}

failed=0
clone=TEMP/lanebook-rehearsal.XXXXXX
action before TEMP_CLONE make-folder "$clone"
for folder in outputs states; do
    action before PACKET_FOLDER make-folder "$folder"
    mkdir "$folder" || exit 2
done
step RX-0 0 rehearse.py lock
if [ "$failed" -ne 0 ]; then
    echo 'not run: the clone is not proven isolated' >&2
    cat outputs/RX-0.txt >&2
    exit 2
fi
step RX-1 3 rehearse.py guard-control
step RX-2 0 rehearse.py read-twice
step RX-3 0 rehearse.py transaction
step RX-4 0 rehearse.py snapshot
step RX-5 0 rehearse.py executor
step RX-6 0 rehearse.py proof
step RX-7 0 rollback_check_jsonl.py selftest
step RX-8 0 rollback_check_jsonl.py check rollback-recovery-proof.json
step RX-9 1 rollback_check_jsonl.py control ROLLBACK_APPLY_DID_NOT_MUTATE rollback-recovery-proof.json
action after TEMP_CLONE remove-folder "$clone"
remove || exit 2
action after PACKET_FOLDER run 'rehearse.py record'
REHEARSAL_STEP=after "$PYTHON" -I -S -B rehearse.py record || failed=1

if [ "$failed" -eq 0 ]; then echo 'OVERALL PASS'; else echo 'OVERALL FAIL'; fi
exit "$failed"
