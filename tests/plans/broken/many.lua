-- all faults are told in one run, in the order of the file
local retry = require "retry"

return plan {
  name = "mny", api = 2, sumary = "All is wrong.",
  vars = {
    patience = var.duraton { "1s", doc = "How long." },
    size = var.size { "5", doc = "How much." },
    to = var.ip { role = "nod" },
  },
  relations = { together { "to", "form" } },
  role "node" {
    state "first" { next = "secnd", enter = function(m)
      qpm("stop")
      log.inf(m.patiance)
    end },
    state "second" { within = 5, late = "second",
      on { "STOP" },
      on { "migration", go = "third", run = retry { function() end } } },
    state "third" { within = "1s", commits = true, next = "abort" },
    state "third" { within = "1s", commits = true, enter = "it" },
    state "done",
  },
}
