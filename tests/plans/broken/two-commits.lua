-- two states that commit
return plan {
  name = "two-commits", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { within = "1s", commits = true, next = "second" },
    state "second" { within = "1s", commits = true, next = "done" },
  },
}
