-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "roles", api = 1, summary = "Has two roles.",
  vars = {
    to   = var.ip { role = "source", doc = "Where it goes." },
    from = var.ip { "::", role = "dest", doc = "Where it comes from." },
    name = var.string { "it", doc = "What it is called." },
  },
  role "source" { state "sending" { within = "1s", next = "done", enter = function(m) log.info("%s to %s", m.name, m.to) end } },
  role "dest" { state "taking" { within = "1s", next = "done",
    enter = function(m)
      log.info("%s from %s", m.name, m.from)
      local ok, problem = pcall(function(key) return m[key] end, "to")
      log.info("%s: %s", ok, problem)
    end } },
}
