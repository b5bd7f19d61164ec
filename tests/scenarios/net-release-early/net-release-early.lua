-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-release-early", api = 1, summary = "Gives back before the end.",
  role "node" {
    state "only" { within = "10s", next = "done",
      enter = function(m)
        local tunnel = m:hold(net.tunnel { mode = "gre", to = "192.0.2.7" })
        local path = net.divert { "10.1.2.3", into = tunnel }
        m:undo("the diversion", function() path.release() end)
        path.turn()
        path.back()
        path.turn()
        local hold = net.hold { "tap0", rate = 100, pause = "1s" }
        hold.release()
        hold.release()
        log.info("%s", select(2, pcall(hold.block)))
        path.release()
        log.info("%s", select(2, pcall(path.turn)))
        error("enough", 0)
      end },
  },
}
