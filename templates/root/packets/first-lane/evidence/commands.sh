#!/bin/sh
# Sorts input.txt into output.txt.
cd "$(dirname "$0")" || exit 2
LC_ALL=C sort input.txt >output.txt
