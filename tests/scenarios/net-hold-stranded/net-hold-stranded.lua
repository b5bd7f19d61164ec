-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-hold-stranded", api = 1, summary = "Ends behind the commit.",
  role "node" {
    state "begin" { within = "5s", next = "moved",
      enter = function(m)
        net.arrive { "10.1.2.3", tap = "tap0", mac = "02:aa:00:00:00:01" }
        m.note.hold = net.hold { "tap0", rate = 100, pause = "1s" }
        m.note.hold.block()
      end },
    state "moved" { within = "1s", commits = true, late = "stranded" },
  },
}
