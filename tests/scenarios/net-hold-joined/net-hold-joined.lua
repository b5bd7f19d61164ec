-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-hold-joined", api = 1, summary = "Holds packets, and lets the hold be.",
  role "node" {
    state "only" { within = "10s", next = "done",
      enter = function()
        local hold = net.hold { "tap0", rate = 10000, pause = "200ms" }
        hold.block()
        sleep("200ms")
        hold.open()
        hold.finish()
      end },
  },
}
