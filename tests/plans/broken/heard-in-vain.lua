-- timers that nobody begins, and words and events that nobody makes
local function patience() timer.after("1s", "patience") end
return plan {
  name = "heard-in-vain", api = 1, summary = "Is broken.",
  vars = { to = var.ip { role = "a", doc = "D." }, from = var.ip { role = "b", doc = "D." } },
  role "a" { peer_to = var "to",
    state "first" { within = "1s",
      enter = function(m) timer.every(m.undo and "1s" or tostring(1, { 2, 3 }), "look") end,
      on { "timer:lok", run = patience },
      on { "timer:patience", run = function() peer.ask("place", { ram = 8 }) emit "disk:late" end },
      on { "peer:redy", go = "done" },
      on { "peer:lost", go = "abort" },
      on { "qmp:lost", go = "abort" },
      on { "signal:USR1", go = "abort" },
      on { "disk:lat", go = "done" } } },
  role "b" { peer_from = var "from",
    state "first" { within = "1s", enter = function() peer.send("ready") end,
      on { "peer:place", go = "done" } } },
}
