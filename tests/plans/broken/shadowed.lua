-- a handler that an earlier one makes useless
return plan {
  name = "shadowed", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s",
      on { "MIGRATION", go = "done" },
      on { "MIGRATION", status = "failed", go = "abort" },
      on { "STOP", go = "done" },
      on { "STOP", run = function() end } },
  },
}
