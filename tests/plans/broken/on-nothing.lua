-- handlers without an event or without an effect
return plan {
  name = "on-nothing", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s",
      on { go = "done" },
      on { "STOP" },
      on {} },
  },
}
