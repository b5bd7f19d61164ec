-- a misspelt on
return plan {
  name = "misspelt-on", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s", next = "done",
      onn { "STOP", go = "done" } },
  },
}
