-- SPDX-License-Identifier: Apache-2.0
--- The guest of this node: what it was before a migration, and how it comes back to that.
local guest = {}

--- Switches these capabilities on, for this run: what was is put back on abort, and given back.
function guest.enable(m, ...)
  local wanted, before, are_on = {}, {}, true
  for _, name in ipairs { ... } do wanted[name] = true end
  for _, known in ipairs(qmp("query-migrate-capabilities")) do
    if wanted[known.capability] and not known.state then
      before[known.capability], are_on = false, false
    end
  end
  if are_on then return nil end
  m:undo("put the capabilities back", qmp.restore { capabilities = before })
  qmp.enable(...)
  return before
end

--- Sets parameters of the migration, for this run: what was is put back on abort, and given back.
function guest.set(m, parameters)
  local now, before = qmp("query-migrate-parameters"), {}
  for name in pairs(parameters) do before[name] = now[name] end
  m:undo("put the parameters back", qmp.restore { parameters = before })
  qmp("migrate-set-parameters", parameters)
  return before
end

--- Several connections for RAM, if `channels` says so; both nodes must have as many.
function guest.channels(m)
  if m.channels == 1 then return end
  guest.enable(m, "multifd")
  guest.set(m, { ["multifd-channels"] = m.channels })
end

--- Bytes that the guest dirties in a second, measured for one.
function guest.dirties()
  qmp("calc-dirty-rate", { ["calc-time"] = 1 })
  sleep(1000)
  for _ = 1, 10 do
    sleep(100)
    local seen = qmp("query-dirty-rate")
    if seen.status == "measured" then return seen["dirty-rate"] * 1048576 end
  end
  return 0
end

--- Where QEMU waits for it, as QEMU writes that.
function guest.uri(address, port)
  return string.format(address:find(":", 1, true) and "tcp:[%s]:%d" or "tcp:%s:%d", address, port)
end

--- Its Ethernet address, as its first network device has it.
function guest.mac()
  local cards = qmp("query-rx-filter")
  if #cards == 0 then
    error { kind = "refused", code = "no-card", what = "the guest has no network device" }
  end
  return cards[1]["main-mac"]
end

--- What a guest does that has not arrived whole, or is not well for another reason.
local falls = {
  RESET = "has reset itself", GUEST_PANICKED = "has panicked", SHUTDOWN = "has shut down",
  ["qmp:lost"] = "is gone with its QEMU",
}

--- For these events, soon behind its start here: the other node is told, and a person must look.
function guest.falls(_, event)
  local how = falls[event.name] or "stands"
  peer.send("fallen", { how = how })
  error { kind = "lost", code = "not-alive", what = "the guest came here, ran, and " .. how ..
    "; look at its console and at QEMU's log, and do not start it at the source" }
end

--- The same at the node that it has left.
function guest.has_fallen(_, event)
  error { kind = "lost", code = "not-alive", what = "the guest runs at the destination, and " ..
    event.data.how .. " there; look there, and do not start it here" }
end

--- The QEMU that it has left is gone: nobody needs it any more.
function guest.is_away(_, event)
  log.info("the QEMU that the guest has left is gone: %s", event.data.what)
end

--- Tells the network where it is now; QEMU did so when it had the guest, and it stood then.
function guest.announce()
  qmp.try("announce-self", { initial = 50, max = 550, rounds = 5, step = 100 }, { within = "2s" })
end

--- When it should live by now: asks once more.
function guest.lives(m)
  if not qmp("query-status", nil, { within = "5s" }).running then guest.falls(m, { name = "" }) end
  emit("guest:lives")
end

return guest
