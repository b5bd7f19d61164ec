-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-frames", api = 1, summary = "Redirects frames.",
  role "node" {
    state "only" { within = "10s", next = "done",
      enter = function(m)
        local tunnel = net.tunnel { mode = "gre", to = "192.0.2.7", frames = true }
        local path = net.divert { on = "br0", mac = "02:aa:00:00:00:01", into = tunnel }
        path.turn()
        sleep("1s")
      end },
  },
}
