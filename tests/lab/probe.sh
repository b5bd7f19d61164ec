#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# probe.sh: tells whether this kernel can do all that a cutover uses, by doing it.
#
# It runs in a network namespace of its own. It ends well, or names the first thing that failed.
set -uo pipefail

try() {
    local said
    if ! said=$("$@" 2>&1); then
        echo "'$*' fails: ${said//$'\n'/ }"
        exit 1
    fi
}

try ip link set lo up
try ip tuntap add dev lab0 mode tap
try tc qdisc add dev lab0 root plug limit 100000
try ip link add lab1 type veth peer name lab2
try ip link add lab3 type ipip local 127.0.0.1 remote 127.0.0.2
try ip link add lab4 type gre local 127.0.0.1 remote 127.0.0.2
try ip link add lab5 type ip6tnl mode ip6ip6 local ::1 remote ::2
try ip link add lab6 type ip6gre local ::1 remote ::2
try ip link add lab7 type vxlan id 7 dstport 4789 local 127.0.0.1
try tc qdisc add dev lab1 ingress
try tc filter add dev lab1 ingress matchall action mirred egress redirect dev lab0
try tc filter add dev lab1 ingress protocol ip u32 match u32 0 0 action mirred egress mirror \
    dev lab0
