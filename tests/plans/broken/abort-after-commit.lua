-- an abort behind the commit
return plan {
  name = "abort-after-commit", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { within = "1s", commits = true, next = "second" },
    state "second" { within = "1s", late = "abort",
      on { "STOP", go = "done" },
      on { "MIGRATION", status = "failed", go = "abort" } },
  },
}
