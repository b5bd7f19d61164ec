-- states from which no end is reached but by a deadline
return plan {
  name = "no-end", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { within = "1s", next = "second" },
    state "second" { within = "1s", on { "STOP", go = "third" } },
    state "third" { within = "1s", on { "RESUME", go = "second" } },
  },
}
