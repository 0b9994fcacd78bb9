#!/bin/sh
# step.sh ID EXPECTED SCRIPT [ARGUMENT...]: runs one step, keeps its output and raw exit code.
# Exits 0 if the raw code is the expected one, else 1: that is the wrapper's exit code.
set -u
REHEARSAL_STEP=$1
expected=$2
shift 2
export REHEARSAL_STEP
printf '{"step": "%s", "surface": "PACKET_FOLDER", "action": "run", "target": "%s", "output": "%s"}\n' \
    "$REHEARSAL_STEP" "$*" "outputs/$REHEARSAL_STEP.txt" >>actions.jsonl
"${PYTHON:-python3}" -I -S -B "$@" >"outputs/$REHEARSAL_STEP.txt" 2>&1
raw=$?
printf '%s\t%s\t%s\t%s\n' "$REHEARSAL_STEP" "$raw" "$expected" "python3 -I -S -B $*" \
    >>outputs/raw-exit-codes.tsv
[ "$raw" -eq "$expected" ]
