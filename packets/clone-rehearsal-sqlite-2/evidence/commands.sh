#!/bin/sh
# The whole rehearsal, in order. Writes every file of the packet that inputs.txt does not name.
set -u
cd "$(dirname "$0")" || exit 2
if [ -e HASH_MANIFEST.txt ]; then
    echo 'this packet is sealed: RERUN.sh makes it again elsewhere' >&2
    exit 2
fi
LC_ALL=C
PYTHON=${PYTHON:-python3}
REHEARSAL_CLONE=$("$PYTHON" -I -c '
import sys, tempfile
sys.version_info >= (3, 11) or sys.exit("not run: needs Python 3.11 or newer")
print(tempfile.mkdtemp(prefix="lanebook-rehearsal."))') || exit 2
export LC_ALL PYTHON REHEARSAL_CLONE
trap 'rm -rf "$REHEARSAL_CLONE"' EXIT
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
step RX-1 3 rehearse.py guard-control
step RX-2 0 rehearse.py read-twice
step RX-3 0 rehearse.py transaction
step RX-4 0 rehearse.py snapshot
step RX-5 0 rehearse.py executor
step RX-6 0 rehearse.py proof
step RX-7 0 rollback_check.py selftest
step RX-8 0 rollback_check.py check rollback-recovery-proof.json
step RX-9 1 rollback_check.py control ROLLBACK_APPLY_DID_NOT_MUTATE rollback-recovery-proof.json
action after TEMP_CLONE remove-folder "$clone"
rm -rf "$REHEARSAL_CLONE" || failed=1
action after PACKET_FOLDER run 'rehearse.py record'
REHEARSAL_STEP=after "$PYTHON" -I -B rehearse.py record || failed=1

if [ "$failed" -eq 0 ]; then echo 'OVERALL PASS'; else echo 'OVERALL FAIL'; fi
exit "$failed"
