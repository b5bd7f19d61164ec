-- a key of on that is a function or a table matches nothing
return plan {
  name = "key-in-on", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s",
      on { "STOP", goto_state = function() end, go = "done" },
      on { "RESUME", data = { id = "a" }, rum = function() end, go = "done" } },
  },
}
