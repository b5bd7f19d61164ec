-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-wrong-options", api = 1, summary = "Says it wrong.",
  role "node" {
    state "only" { within = "10s", next = "done",
      enter = function(m)
        local function try(word, options)
          log.info("%s", select(2, pcall(word, options)))
        end
        try(net.tunnel, { to = "192.0.2.7", mod = "gre", ttl = 0 })
        try(net.tunnel, { to = "192.0.2.7", mode = "sit" })
        try(net.tunnel, { mode = "gre" })
        try(net.tunnel, { mode = "gre", to = "2001:db8::7", from = "192.0.2.1" })
        try(net.divert, { "10.1.2.3", "10.1.2.3", into = "eth1" })
        try(net.divert, { "10.1.2.3", into = "eth9" })
        try(net.hold, { "eth1", rate = 1, pause = "1s" })
        try(net.hold, { "tap0", rate = 1, pause = "1" })
        try(net.arrive, { "2001:db8:1::3", tap = "tap0", mac = "02:aa:00:00:00:01" })
        try(net.tunnel)
        net.hold { "tap0", "tap1", rate = 1, pause = "1s" }
      end },
  },
}
