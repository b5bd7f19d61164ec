-- a deadline that leads to its own state
return plan {
  name = "late-to-itself", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s", late = "only", on { "STOP", go = "done" } },
  },
}
