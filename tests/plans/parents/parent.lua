return plan {
  name = "parent", api = 1, summary = "Is derived from.",
  vars = {
    patience = var.duration { "1s", max = "1min", doc = "How long." },
    to = var.ip { optional = true, doc = "Where to." },
  },
  role "node" {
    state "first" { within = var "patience", next = "second" },
    state "second" { within = "1s", on { "STOP", go = "fourth" } },
    state "third" { within = "1s", next = "done" },
    state "fourth" { within = "1s", next = "third" },
  },
}
