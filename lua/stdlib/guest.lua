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

return guest
