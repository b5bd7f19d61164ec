-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-questions", api = 1, summary = "Asks.",
  role "node" {
    state "only" { within = "10s", next = "done",
      enter = function(m)
        local place = { netns = "blue" }
        for _, tap in ipairs(net.taps(place)) do log.info("%s %d", tap.name, tap.queue_length) end
        log.info("%d devices here, %d there", #net.links(), #net.links(place))
        log.info("%s", net.addresses { on = "eth1" }[1].address)
        local way = net.way { to = "192.0.2.7" }
        log.info("%s from %s", way.on, way.from)
        log.info("%s, %s", tostring(net.way { to = "198.51.100.1" }),
          tostring(net.link { "tap9", netns = "blue" }))
        net.links { netns = "red" }
      end },
  },
}
