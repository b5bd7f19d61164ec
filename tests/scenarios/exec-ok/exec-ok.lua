-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "exec-ok", api = 1, summary = "Runs programs.",
  role "node" {
    state "only" { within = "1min", next = "done",
      enter = function(m)
        local ending = exec { "ip", "-brief", "link", within = "2s" }
        log.info("it wrote %q and %q", ending.out, ending.err)
        exec { "ip", "link", "set", "tap0", "up", undo = { "ip", "link", "set", "tap0", "down" } }
        exec { "tc", "qdisc", "add", 1, undo = { "tc", "qdisc", "del", "1", within = "1s" } }
        error("no way on", 0)
      end },
  },
}
