# SPDX-License-Identifier: Apache-2.0
"""crash_plans.py: what a run can acquire of the kernel, part by part, in the words of plans.

The parts stand for crash_stage.World. Each is one `do … end` of an action, and may use `mac`.
"""
import crash_stage as stage

FIRST = 'local mac = "02:aa:00:00:00:01"\n'
# The guest stays as it was, and everything is undone by the run itself, if it comes so far.
ABORT = 'error { kind = "refused", code = "enough", what = "here the plan ends" }\n'

PARTS = {
    "routes": """do
  local tunnel = net.tunnel { mode = "vxlan", wrapped = false, to = "192.0.2.7" }
  local path = net.divert { "10.1.2.3", "10.1.2.4", "2001:db8:1::3", into = tunnel, mtu = 1400 }
  path.turn() path.back() path.turn()
end
""",
    # On eth2 the clsact is ours, on eth3 it is somebody else's, with a filter.
    "frames": """do
  local out = net.divert { into = "eth1", on = "eth2", mac = mac }
  out.turn()
  local in_too = net.divert { into = "eth1", on = "eth3", mac = mac, incoming = true }
  in_too.turn() in_too.back() in_too.turn()
end
""",
    "neighbours": """do
  net.neighbour { "10.1.2.8", "10.1.2.9", "2001:db8:1::9", mac = mac, on = "tap0" }
end
""",
    "arrival": """do
  net.arrive { "10.1.2.5", "2001:db8:1::5", tap = "tap0", mac = mac, netns = "ktm-t-pod" }
end
""",
    "ring": """do
  local hold = net.hold { "tap0", rate = 20000, pause = "300ms", mode = "ring",
                          netns = "/run/netns/ktm-t-pod" }
  hold.block() hold.open()
end
""",
}
# Where the kernel has ipip, gre and the same over IPv6: wrapped ones, of two devices each.
TUNNEL_PARTS = {
    "ipip": """do
  local tunnel = net.tunnel { mode = "ipip", to = "192.0.2.7", id = 1 }
  local path = net.divert { "10.1.2.6", into = tunnel }
  path.turn()
end
""",
    "bare ipip": """do
  local tunnel = net.tunnel { mode = "ipip", wrapped = false, to = "192.0.2.7", id = 6 }
  local path = net.divert { "10.1.2.7", into = tunnel }
  path.turn()
end
""",
    "ip6tnl": """do
  net.tunnel { mode = "ipip", to = "2001:db8::7", id = 2 }
end
""",
    "gre": """do
  net.tunnel { mode = "gre", to = "192.0.2.7", id = 3 }
end
""",
    "ip6gre": """do
  local tunnel = net.tunnel { mode = "gre", frames = true, to = "2001:db8::7", id = 4 }
  local path = net.divert { into = tunnel, on = "eth1", mac = mac }
  path.turn()
end
""",
    "wrapped vxlan": """do
  net.tunnel { mode = "vxlan", to = "192.0.2.7", id = 5, port = 4790 }
end
""",
}
# Where the kernel has a plug: over the kernel's default, and over a qdisc of somebody else.
PLUG_PARTS = {
    "plug": """do
  local hold = net.hold { "tap0", rate = 20000, pause = "300ms", netns = "ktm-t-pod" }
  hold.block() hold.open() hold.block()
end
""",
    "plug over a qdisc": """do
  local hold = net.hold { "tap0", rate = 20000, pause = "300ms", mode = "plug+ring" }
  hold.block() hold.open()
end
""",
}


def parts_of(world):
    """The parts that this kernel can do; in the short form only those that the machine's own
    kernel could not do."""
    parts = dict(PARTS)
    if world.tunnels:
        parts |= TUNNEL_PARTS
    if world.plug:
        parts |= PLUG_PARTS
        del parts["ring"]
    lacked = {*(TUNNEL_PARTS if stage.TUNNELS in stage.SHORT else ()),
              *(PLUG_PARTS if stage.PLUG in stage.SHORT else ())}
    return {name: part for name, part in parts.items() if name in lacked} or parts


def write_all(world, name="all", end=ABORT):
    """A plan of all parts that this kernel can do."""
    stage.write_plan(name, FIRST + "".join(parts_of(world).values()) + end)
