-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "net-watch-storm", api = 1, summary = "Watches all.",
  role "node" {
    state "only" { within = "1min", next = "done",
      enter = function(m)
        net.watch()
        sleep("1s")
        local count = 0
        while pcall(wait, { "net:route", "1ms" }) do count = count + 1 end
        log.info("%d, and %s", count, wait { "net:overrun", "1ms" }.name)
      end },
  },
}
