-- names that no event has
return plan {
  name = "event-names", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s",
      on { "migration", go = "done" },
      on { "Block-Job-Ready", go = "done" },
      on { "Timer:Tick", go = "done" },
      on { "timer:", go = "done" },
      on { "signal:KILL", go = "done" },
      on { "", go = "done" } },
  },
}
