-- an unknown key of a state
return plan {
  name = "key-in-state", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { witin = "1s", within = "1s", next = "done", timeout = "5s" },
  },
}
