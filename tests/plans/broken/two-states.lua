-- two states of one name
return plan {
  name = "two-states", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { within = "1s", next = "second" },
    state "second" { within = "1s", next = "done" },
    state "first" { within = "1s", next = "done" },
  },
}
