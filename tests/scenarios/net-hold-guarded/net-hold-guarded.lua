-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-hold-guarded", api = 1, summary = "Blocks for too long.",
  role "node" {
    state "only" { within = "10s", next = "done",
      enter = function(m)
        local hold = net.hold { "tap0", rate = 100, pause = "400ms", at_most = "500ms" }
        hold.block()
        sleep("1s")
        hold.open()
        hold.block()
        log.info("guarded: %s", tostring(hold.counts().guarded))
      end },
  },
}
