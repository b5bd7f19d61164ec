-- an unknown key of the plan
return plan {
  name = "key-in-plan", api = 1, sumary = "Misspelt.", version = 3,
  role "node" { state "only" { within = "1s", next = "done" } },
}
