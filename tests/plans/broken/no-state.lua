-- a role without a state
return plan { name = "no-state", api = 1, summary = "Is broken.",
  role "node" {} }
