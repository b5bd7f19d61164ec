-- a state without a deadline
return plan {
  name = "no-deadline", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { next = "second" },
    state "second" { on { "STOP", go = "done" } },
  },
}
