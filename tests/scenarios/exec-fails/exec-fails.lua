-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "exec-fails", api = 1, summary = "Runs programs.",
  role "node" {
    state "only" { within = "1min", next = "done",
      enter = function(m)
        m:undo("say so", function() log.info("the rest is undone") end)
        local ending, problem = exec.try { "probe", "--all", undo = { "unprobe" } }
        log.info("%s, %s %s: %s", ending, problem.kind, problem.code, problem)
        ending, problem = exec.try { "not-there" }
        log.info("%s, %s %s: %s", ending, problem.kind, problem.code, problem)
        exec { "ip", "link", "set", "tap0", "up", undo = { "ip", "link", "set", "tap0", "down" } }
      end },
  },
}
