-- deadlines that are none
return plan {
  name = "bad-deadline", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { within = "0s", next = "second" },
    state "second" { within = "5 parsecs", next = "third" },
    state "third" { within = "5", next = "fourth" },
    state "fourth" { within = "10000d", next = "fifth" },
    state "fifth" { within = "-1s", next = "done" },
  },
}
