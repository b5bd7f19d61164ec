-- an unknown key of a role
return plan {
  name = "key-in-role", api = 1, summary = "Is broken.",
  role "node" { start = "only",
    state "only" { within = "1s", next = "done" } },
}
