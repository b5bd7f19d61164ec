-- a state whose name was forgotten
return plan {
  name = "unnamed-state", api = 1, summary = "Is broken.",
  role "node" {
    state { within = "1s", next = "done" },
    state "second" { within = "1s", next = "done" },
  },
}
