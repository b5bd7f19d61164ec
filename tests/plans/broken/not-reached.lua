-- a state that no edge leads to
return plan {
  name = "not-reached", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { within = "1s", next = "done" },
    state "second" { within = "1s", next = "third" },
    state "third" { within = "1s", next = "done" },
  },
}
