-- each key of on has a type
return plan {
  name = "types-of-on", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s",
      on { "STOP", go = function() end },
      on { "RESUME", run = "log" , go = 5 },
      on { "SHUTDOWN", vm = 7, go = "done" },
      on { 5, go = "done" },
      on { "RESET", "STOP", go = "done" },
      on "STOP" },
  },
}
