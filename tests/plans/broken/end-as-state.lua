-- a state called like an end
return plan {
  name = "end-as-state", api = 1, summary = "Is broken.",
  role "node" {
    state "done" { within = "1s", next = "abort" },
  },
}
