#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# init.sh: the first process of a lab. It prepares the system, runs the command, ends the kernel.
#
# A copy of it lies in the folder of the run, beside what tools/lab says (backend, modules, folder,
# mask, environment, command) and what it reads back (started, stdout, stderr, exit_code). Whatever
# fails here is said on the console and leaves no exit_code: the lab is broken, not the command.
set -euo pipefail
run=${0%/*}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
read -r backend <"$run/backend"
wanted="veth tun ipip ip_gre ip6_tunnel ip6_gre vxlan sch_plug sch_ingress act_mirred cls_u32
    cls_matchall"
pleasant="bridge dummy sch_netem"

# Ends a kernel of the lab; on the host's own kernel, ending this process is enough.
finish() {
    if [ "$backend" != host ]; then
        sync
        echo o >/proc/sysrq-trigger
        while :; do read -r -t 10 <>/run/lab.never || true; done
    fi
}

mount_files() {
    if [ "$backend" != host ]; then
        mount -t proc proc /proc # what was seen there until now are the files of the machine
    fi
    mount -t sysfs sysfs /sys
    mount -t tmpfs -o mode=755 tmpfs /run
    mount --make-shared /run
    mkdir -m 1777 /run/lab /run/lock
    mkfifo /run/lab.never /run/lab.stdout /run/lab.stderr
}

# Few programs are started here: each costs some 10 ms in user-mode-linux.
make_devices() {
    local node
    if [[ $(</proc/mounts) != *" /dev devtmpfs "* ]]; then
        mount -t devtmpfs devtmpfs /dev || mount -t tmpfs -o mode=755 tmpfs /dev
    fi
    for node in null:3 zero:5 full:7 random:8 urandom:9; do
        [ -c "/dev/${node%:*}" ] || mknod "/dev/${node%:*}" c 1 "${node#*:}"
    done
    [ -c /dev/tty ] || mknod /dev/tty c 5 0
    [ -c /dev/console ] || mknod /dev/console c 5 1
    [ -e /dev/ptmx ] || mknod /dev/ptmx c 5 2
    mkdir -p /dev/pts /dev/shm /dev/net
    [ -c /dev/net/tun ] || mknod /dev/net/tun c 10 200
    chmod 666 /dev/{null,zero,full,random,urandom,tty,ptmx,net/tun}
    mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    ln -sfn /proc/self/fd /dev/fd
    ln -sfn /proc/self/fd/0 /dev/stdin
    ln -sfn /proc/self/fd/1 /dev/stdout
    ln -sfn /proc/self/fd/2 /dev/stderr
}

# The kernel also loads modules on its own, by the program that is named here.
load_modules() {
    local root=/run/lab.modules modules version
    read -r modules <"$run/modules"
    read -r version </proc/sys/kernel/osrelease
    mkdir -p "$root/lib/modules"
    ln -s "$modules" "$root/lib/modules/$version"
    printf '#!/bin/sh\nexec modprobe -d %s "$@"\n' "$root" >/run/lab.modprobe
    chmod 755 /run/lab.modprobe
    echo /run/lab.modprobe >/proc/sys/kernel/modprobe
    # shellcheck disable=SC2086 # lists of words
    if ! modprobe -d "$root" -a $wanted $pleasant; then
        modprobe -d "$root" -a $wanted
    fi
}

# Gives what copies the outputs a moment; a process that COMMAND left behind may hold them open.
let_outputs_end() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        if ! kill -0 "$1" 2>/dev/null && ! kill -0 "$2" 2>/dev/null; then
            return
        fi
        read -r -t 0.02 <>/run/lab.never || true
    done
}

# Without the files that this process has open for tools/lab.
run_alone() (
    local file
    for file in /proc/"$BASHPID"/fd/*; do
        file=${file##*/}
        if [ "$file" -gt 2 ]; then
            exec {file}>&-
        fi
    done
    exec env -i "$@" </dev/null
)

run_command() {
    local environment command folder mask code=0 copies=()
    mapfile -d '' environment <"$run/environment"
    mapfile -d '' command <"$run/command"
    IFS= read -r -d '' folder <"$run/folder"
    read -r mask <"$run/mask"
    cd "$folder"
    umask "$mask"
    : >"$run/started"
    if [ "$backend" = host ]; then
        run_alone "${environment[@]}" "${command[@]}" || code=$?
    else
        cat /run/lab.stdout >>"$run/stdout" &
        copies+=($!)
        cat /run/lab.stderr >>"$run/stderr" &
        copies+=($!)
        env -i "${environment[@]}" "${command[@]}" </dev/null \
            >/run/lab.stdout 2>/run/lab.stderr || code=$?
        let_outputs_end "${copies[@]}"
    fi
    echo "$code" >"$run/exit_code"
}

trap finish EXIT
mount_files
if [ "$backend" != host ]; then
    make_devices
    load_modules
    read -r name <"$run/name"
    echo "$name" >/proc/sys/kernel/hostname
fi
ip link set lo up
run_command
