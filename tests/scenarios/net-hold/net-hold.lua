-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-hold", api = 1, summary = "Holds packets for a while.",
  vars = {
    mode = var.enum { "auto", "ring", "plug+ring", doc = "What holds." },
    ring = var.int { optional = true, doc = "The length of the ring." },
    small = var.bool { false, doc = "Whether it may be too small." },
  },
  role "node" {
    state "only" { within = "10s", next = "done",
      enter = function(m)
        local hold = net.hold { "tap0", rate = 10000, pause = "200ms", mode = m.mode, small = m.small,
          ring = m.ring }
        m.note.hold = hold
        log.info("room for %d of %d, ring %d, plug %s", hold.capacity, hold.needed, hold.ring,
          tostring(hold.plug))
        hold.block()
        sleep("200ms")
        hold.open()
      end },
  },
}
