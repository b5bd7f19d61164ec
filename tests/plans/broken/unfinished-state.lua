-- a state whose body was forgotten
return plan {
  name = "unfinished-state", api = 1, summary = "Is broken.",
  role "node" {
    state "first",
    state "second" { within = "1s", next = "done" },
  },
}
