-- SPDX-License-Identifier: Apache-2.0
-- script/prelude_net.lua: the words of the kernel's side that are easier said in Lua than in C++.
--
-- Runs in an interpreter whose plan names `net`, when it does so first: a plan that does not, has
-- nothing of it in its memory. `native` is as in the prelude; `words` are those of plans.
local native, words = ...
local error, pcall = words.error, words.pcall
local frozen = native.frozen

local function finish(ok, ...)
  if ok then return ... end
  error((...), 0)
end

--- What is acquired is in the ledger before it is begun: it may be cancelled half-way. Gives back
--- its number, and what else there is to know of it.
local function acquire(kind, handle, give, start, options)
  local gone, id, entry, result
  local function over(stays)
    if gone or not id then return result end
    result = finish(give(id, stays))
    gone = true
    native.released(entry)
    return result
  end
  function handle.release() return over(false) end
  if give == native.net_hold_give then
    function handle.finish() return over(true) end
  end
  entry = native.register(kind, handle.what, { within = "90s" }, handle.release, true)
  handle.registered = true
  local function settle(ran, ok, first, ...)
    if ran and ok then
      id = first
      return first, ...
    end
    gone = true
    native.released(entry)
    error(ran and first or ok, 0)
  end
  return settle(pcall(start, options))
end

local function net_tunnel(options)
  local handle = { what = native.net_what("tunnel", options) }
  local carries, _ = {}, nil
  _, handle.name, handle.from, carries.v4, carries.v6 =
    acquire("hold", handle, native.net_give, native.net_tunnel, options)
  handle.carries = carries
  return handle
end

local function net_divert(options)
  local handle = { what = native.net_what("diversion", options) }
  local id = acquire("hold", handle, native.net_give, native.net_divert, options)
  function handle.turn() finish(native.net_turn(id)) end
  function handle.back() finish(native.net_back(id)) end
  return handle
end

local function net_kept(kind, what, start)
  return function(options)
    local handle = { what = native.net_what(what, options) }
    acquire(kind, handle, native.net_give, start, options)
    return handle
  end
end

local function net_hold(options)
  local handle, id = { what = native.net_what("hold", options) }, nil
  id, handle.capacity, handle.needed, handle.ring, handle.limit, handle.plug =
    acquire("hold", handle, native.net_hold_give, native.net_hold, options)
  function handle.block() finish(native.net_block(id)) end
  function handle.open() finish(native.net_open(id)) end
  function handle.counts() return finish(native.net_counts(id)) end
  return handle
end

--- Nothing of a watch outlives the run, so it is not in the ledger.
local function net_watch(options)
  local id = native.net_watch(options or {})
  return {
    what = native.net_what("watch", options or {}), registered = true,
    release = function() native.net_unwatch(id) end,
  }
end

local function net_list(start, ...)
  local extra = ...
  return function(options) return finish(start(options or {}, extra)) end
end

return frozen("net", {
  tunnel = net_tunnel, divert = net_divert, hold = net_hold, watch = net_watch,
  arrive = net_kept("undo", "way", native.net_arrive),
  neighbour = net_kept("hold", "neighbour", native.net_neighbour),
  announce = native.net_announce,
  link = net_list(native.net_link), links = net_list(native.net_links),
  taps = net_list(native.net_links, true), addresses = net_list(native.net_addresses),
  way = net_list(native.net_way), form = net_list(native.net_form),
  setting = net_list(native.net_setting), queues = net_list(native.net_queues),
  knows = net_list(native.net_knows),
})
