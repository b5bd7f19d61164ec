-- a state outside of a role
return plan {
  name = "stray-in-plan", api = 1, summary = "Is broken.",
  state "only" { within = "1s", next = "done" },
  role "node" { state "only" { within = "1s", next = "done" } },
}
