#!/bin/sh
# SPDX-License-Identifier: MIT
# The last net under a test run: waits until standard input ends, which is when the test runner is
# gone, killed or not, then stops the servers below FOLDER and removes it. Usage: keeper.sh FOLDER
trap '' INT TERM HUP
cat >/dev/null
[ -d "$1" ] || exit 0
find "$1" -name postmaster.pid | while read -r file; do
    read -r pid <"$file"
    [ "$(readlink "/proc/$pid/cwd")" = "${file%/*}" ] || continue
    kill -QUIT "$pid"
    tries=0
    while [ -d "/proc/$pid" ] && [ $tries -lt 100 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
done
rm -rf "$1"
