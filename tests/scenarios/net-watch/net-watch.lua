-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-watch", api = 1, summary = "Watches a tap.",
  role "node" {
    state "only" { within = "1min", next = "done",
      enter = function(m)
        local watch = net.watch { on = "tap0" }
        net.hold { "tap0", rate = 5000, pause = "1s", mode = "ring" }
        log.info("the ring is %d long", wait { "net:link", "1s" }.data.queue_length)
        wait { "net:overrun", "5s" }
        wait { "net:link", gone = true, "5s" }
        log.info("%s", wait { "net:end", "5s" }.data.why)
        watch.release()
        net.announce { mac = "02:aa:00:00:00:01", on = "eth1" }
      end },
  },
}
